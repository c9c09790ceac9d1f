"""The witnesses of a stack: one key each, two policies, and what becomes of a key that ended."""

from hashlib import sha256
from pathlib import Path

import pytest

from casebus_consumers.witness.key_file import KEY, STATE, end_key, enrol, key_name
from casebus_consumers.witness.state import State
from casebus_deploy.stack.witnesses import make_witnesses, policy_file, provisional_policy_file, witness_dir
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.signed_note import NoteSigner
from casebus_schemas.evidence.trust_policy import TrustPolicy

LEDGER = "casebus.example/ledger"
LOG = str(NoteSigner(LEDGER, sha256(b"log").digest()).key)


def read(file: Path) -> TrustPolicy:
    """The policy in a file."""
    return TrustPolicy.parse(file.read_bytes())


def test_four_witnesses_and_two_policies(tmp_path: Path) -> None:
    """Each witness gets a key and a state of its own; final takes any three of them, provisional any two."""
    keys = make_witnesses(tmp_path, LOG)
    assert list(keys) == ["spp", "mps", "csrc", "audit"]
    assert len({key.public for key in keys.values()}) == 4
    assert [key.name for key in keys.values()] == [f"{LEDGER}/mirror/{name}" for name in keys]
    for name in keys:
        for file in (KEY, STATE):
            assert (witness_dir(tmp_path, name) / file).stat().st_mode & 0o777 == 0o600
    final, provisional = read(policy_file(tmp_path)), read(provisional_policy_file(tmp_path))
    assert {name: one.key for name, one in final.witnesses.items()} == keys
    assert [str(one.key) for one in final.logs] == [LOG]
    for chosen in (("spp", "mps", "csrc"), ("mps", "csrc", "audit")):
        assert final.is_reached_by(chosen)
        assert not final.is_reached_by(chosen[:2])
        assert provisional.is_reached_by(chosen[:2])
        assert not provisional.is_reached_by(chosen[:1])


def test_a_second_start_makes_nothing_anew(tmp_path: Path) -> None:
    """Keys and policies stay as they are, byte for byte."""
    keys = make_witnesses(tmp_path, LOG)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert make_witnesses(tmp_path, LOG) == keys
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_ledger_under_another_name_has_other_witnesses(tmp_path: Path) -> None:
    """Each witness has a new key and an empty state for it; the old ones are kept, with what was in use."""
    keys = make_witnesses(tmp_path, LOG)
    end_key(witness_dir(tmp_path, "csrc"))
    (witness_dir(tmp_path, "mps") / f"{STATE}-wal").write_bytes(b"in use")
    later = str(NoteSigner(f"{LEDGER}-2", sha256(b"log").digest()).key)
    anew = make_witnesses(tmp_path, later)
    assert [key.name for key in anew.values()] == [f"{LEDGER}-2/mirror/{name}" for name in keys]
    assert not {key.public for key in anew.values()} & {key.public for key in keys.values()}
    for name, key in anew.items():
        folder = witness_dir(tmp_path, name)
        State(folder / STATE, str(key)).close()
        (kept,) = folder.glob("witness.db.*[0-9]")
        assert State.key_in(kept) == str(keys[name])
    (log,) = witness_dir(tmp_path, "mps").glob("witness.db.*-wal")
    assert log.read_bytes() == b"in use"
    assert read(policy_file(tmp_path)).logs[0].key.name == f"{LEDGER}-2"
    assert make_witnesses(tmp_path, later) == anew


def test_a_key_that_ended_is_not_replaced_by_itself(tmp_path: Path) -> None:
    """The policy goes on naming the ended key, which signs nothing; another one takes its place by order."""
    keys = make_witnesses(tmp_path, LOG)
    folder, name = witness_dir(tmp_path, "csrc"), key_name(LEDGER, "csrc", mirror=True)
    end_key(folder)
    assert make_witnesses(tmp_path, LOG) == keys
    assert not (folder / KEY).exists()
    with pytest.raises(UsageError, match="has ended"):
        enrol(folder, name)
    old = policy_file(tmp_path).read_text()
    assert enrol(folder, name, anew=True)
    anew = make_witnesses(tmp_path, LOG)
    assert {witness for witness in keys if anew[witness] != keys[witness]} == {"csrc"}
    assert read(policy_file(tmp_path)).witnesses["csrc"].key == anew["csrc"]
    kept = [file.read_text() for file in tmp_path.glob("policy.[0-9]*")]
    assert kept == [old]
    assert len(list(folder.glob("witness.db.*"))) == 1
