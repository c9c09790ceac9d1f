"""The verifier as one script, run by a stranger: Python, one library for Ed25519, nothing of casebus."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from casebus_consumers.auditor.single_file import single_file
from casebus_schemas.evidence.bundle_file import Bundle
from casebus_schemas.evidence.bundle_page import page
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.cose_receipt import ReceiptSigner
from casebus_schemas.evidence.genesis import Genesis, PinnedKey
from casebus_schemas.evidence.merkle import LeafHashes, consistency_proof, root_of
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import chain, seed_of
from support.ledger import sealed_ledger, signed_case
from support.ledger.sealed_ledger import COSIGNERS, LEDGER, SIGNER
from support.ledger.signed_case import bundle_of

NEEDED = ("nacl", "cffi", "_cffi_backend", "pycparser")
"""PyNaCl and what it is made of."""
START = (
    "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_path(sys.argv.pop(1), run_name='__main__')"
)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script, and an environment that has PyNaCl and nothing else."""
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "packages").mkdir()
    for name in NEEDED:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            found = Path(spec.origin)
            found = found.parent if found.name == "__init__.py" else found
            (folder / "packages" / found.name).symlink_to(found)
    (folder / "verify_casebus.py").write_text(single_file(), encoding="utf-8")
    return folder


def run(stranger: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the script: isolated, without site-packages, in its own folder, without any environment."""
    command = [sys.executable, "-I", "-S", "-c", START, "packages", "verify_casebus.py", *arguments]
    return subprocess.run(
        command,
        cwd=stranger,
        env={"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def policy_file(stranger: Path, threshold: int) -> str:
    """Writes the stranger's own policy."""
    from casebus_schemas.evidence.trust_policy import policy_text

    keys = {name: cosigner.key for name, cosigner in COSIGNERS.items()}
    file = stranger / f"{threshold}.policy"
    file.write_text(policy_text([SIGNER.key], keys, threshold))
    return file.name


def genesis_file(stranger: Path) -> str:
    """Writes the stranger's copy of a genesis file."""
    file = stranger / "genesis"
    pinned = [PinnedKey("bus", "ed25519", SigningKey(seed_of("router")).public)]
    file.write_bytes(Genesis.of(LEDGER, [SIGNER.key], {}, pinned).to_bytes())
    return file.name


def test_nothing_of_casebus_is_there(stranger: Path) -> None:
    """The environment of these tests has neither casebus nor any package that it is built with."""
    code = "import sys; sys.path.insert(0, 'packages'); import nacl.bindings; import casebus_schemas"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=stranger, capture_output=True, text=True, check=False
    )
    assert "No module named 'casebus_schemas'" in done.stderr


def test_a_stranger_verifies_a_bundle(stranger: Path) -> None:
    """The bundle of a matter is verified, told in both languages and as JSON; a changed one is refused."""
    raw = bundle_of(signed_case.example(), 5).to_bytes()
    (stranger / "case.zip").write_bytes(raw)
    final = policy_file(stranger, 3)
    done = run(stranger, "bundle", "case.zip", "--policy", final)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "全部通过 verified"
    assert done.stdout.count("referral.submitted  admitted  内容在内 with content") == 3
    body: dict[str, Any] = json.loads(run(stranger, "bundle", "case.zip", "--policy", final, "--json").stdout)
    assert (body["ok"], body["chain"], body["epoch"], body["signatures"]) == (True, chain(5), 2, 6)
    assert set(body["witnesses"]) == {"mps", "csrc", "audit"}
    paged = run(stranger, "bundle", "case.zip", "--policy", final, "--page", "case.html")
    assert paged.returncode == 0, paged.stderr
    assert (stranger / "case.html").read_bytes() == page(Bundle.parse(raw))
    (stranger / "changed.zip").write_bytes(raw.replace(chain(5).encode(), chain(6).encode(), 1))
    changed = run(stranger, "bundle", "changed.zip", "--policy", final)
    assert changed.returncode == 1
    assert "未通过 FAILED" in changed.stdout
    begun = run(stranger, "bundle", "case.zip", "--policy", final, "--genesis", genesis_file(stranger))
    assert begun.returncode == 1
    assert "FAILED: the genesis: bus.key begins with no genesis" in begun.stdout
    all_four = run(stranger, "bundle", "case.zip", "--policy", policy_file(stranger, 4))
    assert all_four.returncode == 1
    assert "the quorum 'witnesses' is not reached" in all_four.stdout


def test_a_stranger_verifies_a_proof(stranger: Path) -> None:
    """The proof of one entry is verified the same way."""
    ledger = sealed_ledger.example()
    raw = ledger.prove("csrc.referral", 0, 20, ledger.note("mps", "csrc", "audit")).to_bytes()
    (stranger / "entry.tlog-proof").write_bytes(raw)
    done = run(stranger, "proof", "entry.tlog-proof", "--policy", policy_file(stranger, 3))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("已证明 proven: 条目 entry 20 of ledger.example/bus/csrc.referral/0/1")
    (stranger / "cut.tlog-proof").write_bytes(raw[:-1])
    assert run(stranger, "proof", "cut.tlog-proof", "--policy", policy_file(stranger, 3)).returncode == 1


def test_a_stranger_verifies_a_receipt_and_growth(stranger: Path) -> None:
    """A COSE receipt needs the ledger's receipt key, a proof of growth a checkpoint that was kept."""
    ledger = sealed_ledger.example()
    signer = ReceiptSigner(sealed_ledger.seed("receipts"))
    newest = ledger.note("mps", "csrc", "audit")
    raw = signer.inclusion(ledger.prove("csrc.referral", 0, 20, newest))
    hashes = [epoch.hash() for epoch in ledger.epochs]
    path = consistency_proof(2, 5, LeafHashes(hashes))
    old = SIGNER.signed(str(Checkpoint(sealed_ledger.LEDGER, 2, root_of(hashes[:2]))))
    for name, content in (
        ("entry.cose", raw),
        ("key.pem", str(signer.key).encode()),
        ("growth.cose", signer.consistency(newest, 2, path, 0)),
        ("kept", old.to_bytes()),
    ):
        (stranger / name).write_bytes(content)
    final = ("--policy", policy_file(stranger, 3))
    done = run(stranger, "proof", "entry.cose", *final, "--key", "key.pem")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("已证明 proven: 条目 entry 20 of ledger.example/bus/csrc.referral/0/1")
    grown = run(stranger, "consistency", "growth.cose", *final, "--key", "key.pem", "--since", "kept")
    assert grown.returncode == 0, grown.stderr
    assert "of size 5 extends 2" in grown.stdout
    for arguments, missing in (
        (("proof", "entry.cose"), "--key"),
        (("consistency", "growth.cose"), "--since"),
    ):
        told = run(stranger, *arguments, *final)
        assert (told.returncode, missing in told.stdout) == (2, True)


def test_wrong_use_is_told(stranger: Path) -> None:
    """A bad policy is named with its line, a missing file by its name; without a policy nothing runs."""
    (stranger / "bad.policy").write_text("log x\n")
    (stranger / "empty.zip").write_bytes(b"")
    bad = run(stranger, "bundle", "empty.zip", "--policy", "bad.policy")
    assert (bad.returncode, "bad.policy, line 1" in bad.stdout) == (2, True)
    missing = run(stranger, "bundle", "nowhere.zip", "--policy", policy_file(stranger, 3))
    assert (missing.returncode, "nowhere.zip" in missing.stdout) == (2, True)
    assert run(stranger, "bundle", "empty.zip").returncode == 2


def test_the_script_is_readable_and_the_same_each_time() -> None:
    """The sources stand in the script as they are, and making it twice gives the same text."""
    script = single_file()
    assert script == single_file()
    from casebus_schemas.evidence import merkle

    assert Path(merkle.__file__).read_text() in script
