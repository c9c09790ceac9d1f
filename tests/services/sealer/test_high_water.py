"""The high-water file: of one origin, and what becomes of it when the ledger goes on under another."""

from hashlib import sha256
from pathlib import Path

import pytest

from casebus_schemas.errors import StopService
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.signed_note import NoteSigner
from casebus_services.sealer.high_water import FILE, HighWater

SEED = sha256(b"log").digest()


def written(folder: Path, origin: str, size: int) -> HighWater:
    """The file of a ledger that has signed so many epochs."""
    signer = NoteSigner(origin, SEED)
    mark = HighWater(folder, signer.key)
    mark.read()
    mark.write(str(signer.signed(str(Checkpoint(origin, size, bytes(32))))))
    return mark


def test_a_new_origin_begins_at_nothing_and_the_old_one_is_not_forgotten(tmp_path: Path) -> None:
    """Whoever goes back to an origin meets the mark that was reached under it."""
    first = written(tmp_path, "bus.example/one", 7)
    second = HighWater(tmp_path, NoteSigner("bus.example/two", SEED).key)
    assert second.read() is None
    written(tmp_path, "bus.example/two", 3)
    found = first.read()
    assert found is not None
    assert (found.origin, found.size) == ("bus.example/one", 7)
    again = second.read()
    assert again is not None
    assert (again.origin, again.size) == ("bus.example/two", 3)
    assert len(list(tmp_path.iterdir())) == 2


def test_another_key_of_the_same_origin_is_refused(tmp_path: Path) -> None:
    """A file that no key of this ledger signed, or that is none, stops the sealer as before."""
    written(tmp_path, "bus.example/one", 7)
    other = HighWater(tmp_path, NoteSigner("bus.example/one", sha256(b"other").digest()).key)
    with pytest.raises(StopService, match="holds no checkpoint of this ledger"):
        other.read()
    (tmp_path / FILE).write_text("no note")
    with pytest.raises(StopService, match="holds no checkpoint of this ledger"):
        other.read()
