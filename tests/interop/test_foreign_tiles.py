"""Proofs and exported tiles, judged by strangers' programs: Go's tlog, C2SP's Torchwood, transparency-dev."""

import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from casebus_consumers.auditor.proof_rows import enough_lines
from casebus_consumers.auditor.proving import export_tiles
from casebus_schemas.evidence.leaf import leaf_hash
from casebus_schemas.evidence.merkle import LeafHashes, consistency_proof, inclusion_proof, root_of
from casebus_services.ledger.store import LedgerStore
from support.events.sealing import SIGNER
from support.ledger.ledgers import empty_sqlite, run
from support.ledger.proven import THREE, ProvenLedger
from support.ledger.sealed_ledger import COSIGNERS

SOURCE = Path(__file__).with_name("go_tiles")
LEAVES = [leaf_hash(number.to_bytes(8, "big")) for number in range(600)]

Foreign = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    """The program in Go, with its locked modules."""
    if shutil.which("go") is None:
        pytest.skip("no go on this machine")
    folder = tmp_path_factory.mktemp("go")
    for name in ("main.go", "go.mod", "go.sum"):
        shutil.copy(SOURCE / name, folder)
    command = ["go", "build", "-mod=readonly", "-o", "foreign", "."]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert made.returncode == 0, made.stderr

    def call(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(folder / "foreign"), *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return call


def text(value: bytes) -> str:
    """A hash as the program reads it."""
    return b64encode(value).decode()


def questions(random: Random) -> Iterator[tuple[dict[str, object], bool]]:
    """Proofs over trees of all shapes, each as it is and with one thing changed, and what they are worth."""
    sizes = sorted({*range(1, 20), *(random.randrange(20, 600) for _ in range(60))})
    for size in sizes:
        hashes = LeafHashes(LEAVES[:size])
        root = text(root_of(LEAVES[:size]))
        for index in {0, size - 1, random.randrange(size)}:
            path = [text(one) for one in inclusion_proof(index, size, hashes)]
            asked = {"kind": "inclusion", "size": size, "index": index, "root": root, "path": path}
            yield {**asked, "hash": text(LEAVES[index])}, True
            yield {**asked, "hash": text(LEAVES[index]), "path": [*path, root]}, False
            yield {**asked, "hash": text(bytes(32))}, False
            if size > 1:
                yield {**asked, "hash": text(LEAVES[index]), "path": path[:-1]}, False
        for old in {1, size, random.randrange(1, size + 1)}:
            path = [text(one) for one in consistency_proof(old, size, hashes)]
            asked = {"kind": "consistency", "size": size, "index": old, "root": root, "path": path}
            yield {**asked, "hash": text(root_of(LEAVES[:old]))}, True
            yield {**asked, "hash": text(bytes(32))}, False
            yield {**asked, "hash": text(root_of(LEAVES[:old])), "path": [*path, root]}, False


def test_proofs_by_another_implementation(foreign: Foreign) -> None:
    """Go's tlog accepts each inclusion and consistency proof of ours, and refuses each that was changed."""
    asked = list(questions(Random(162)))
    lines = "".join(json.dumps(question) + "\n" for question, _ in asked)
    found = foreign("proofs", given=lines)
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == [str(right).lower() for _, right in asked]
    assert len(asked) > 1000


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported tiles of a ledger of three epochs, one log of which has two full tiles and an open one."""
    folder = tmp_path_factory.mktemp("ledger")
    store = LedgerStore(empty_sqlite(folder))
    ledger = ProvenLedger(store, folder)
    for first, last in ((0, 300), (300, 512), (512, 700)):
        store.append([run(first, last), run(first, last, topic="mps.record", partition=2)])
        ledger.seal(*THREE)
    with ledger.rows() as rows:
        export_tiles(rows, folder / "tiles", enough_lines(3))
    store.close()
    return folder / "tiles"


def test_the_head_log_is_read_by_a_strangers_client(foreign: Foreign, exported: Path) -> None:
    """Checkpoint, three cosignatures, tiles, bundles and paths of the head log hold for a C2SP client."""
    keys = [str(SIGNER.key), *(str(COSIGNERS[name].key) for name in THREE)]
    found = foreign("tiles", str(exported), *keys)
    assert (found.stdout, found.stderr) == ("3\n", "")
    other = foreign("tiles", str(exported), keys[0], str(COSIGNERS["spp"].key))
    assert other.returncode == 1


def test_a_partitions_log_is_read_by_a_strangers_client(
    foreign: Foreign, exported: Path, tmp_path: Path
) -> None:
    """All entries of a log of 700, by its head; and one changed byte of any of its files is found."""
    log = exported / "logs/csrc.referral/0/1"
    _, size, root = (log / "head").read_text().split("\n")[:3]
    found = foreign("log", str(log), size, root)
    assert (found.stdout, found.stderr, size) == ("700\n", "", "700")
    for file in sorted(one for one in log.rglob("*") if one.is_file() and one.name != "head"):
        copy = tmp_path / "copy"
        shutil.copytree(log, copy)
        changed = copy / file.relative_to(log)
        raw = bytearray(changed.read_bytes())
        raw[len(raw) // 2] ^= 1
        changed.write_bytes(raw)
        assert foreign("log", str(copy), size, root).returncode == 1, file
        shutil.rmtree(copy)


def test_the_program_is_locked() -> None:
    """The modules are named with versions and digests, so that every run has the same."""
    named = (SOURCE / "go.mod").read_text()
    locked = (SOURCE / "go.sum").read_text()
    for module in ("filippo.io/torchwood v", "golang.org/x/mod v", "github.com/transparency-dev/formats v"):
        version = named.split(module)[1].split()[0]
        assert f"{module}{version} h1:" in locked
