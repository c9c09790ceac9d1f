"""One key, one purpose: a key that the bus has announced signs no checkpoint; no member can stop a sealer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_schemas.errors import StopService
from casebus_schemas.wire.signing import SigningKey
from casebus_services.ledger.store import LedgerStore
from support.events.admissions import batch_of
from support.events.sealing import LOG_SEED, Sealing
from support.events.signed_events import Speaker, seed_of, stored
from support.ledger.ledgers import empty_sqlite

OPERATOR = SigningKey(seed_of("operator"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LedgerStore]:
    """A ledger without entries."""
    made = LedgerStore(empty_sqlite(tmp_path), writer="test")
    yield made
    made.close()


def test_a_key_of_the_bus_seals_nothing(store: LedgerStore, tmp_path: Path) -> None:
    """Announced by the operator, the ledger's own key ends the sealer: at its start, and before an epoch."""
    bus = Speaker("bus", key=OPERATOR)
    said = [bus.announce(), bus.announce(SigningKey(LOG_SEED), by=OPERATOR)]
    running = Sealing(store, tmp_path)
    running.sealer.start()  # the ledger has no keys yet
    store.append([batch_of([stored(one, at) for at, one in enumerate(said)])])
    for begin in (running.sealer.seal, running.again().sealer.start):
        with pytest.raises(StopService, match="one key for two purposes") as error:
            begin()
        assert "the key of the ledger's checkpoints is a key of bus with the role event" in error.value.detail
    assert running.notes() == {}


def test_a_member_cannot_stop_the_sealer(store: LedgerStore, tmp_path: Path) -> None:
    """An agency that announces the ledger's key as its own has not its private half: sealing goes on."""
    csrc, bus = Speaker("csrc"), Speaker("bus", key=OPERATOR)
    said = [csrc.announce(), csrc.announce(SigningKey(LOG_SEED), by=csrc.key)]
    store.append(
        [batch_of([stored(one, at) for at, one in enumerate(said)]), batch_of([stored(bus.announce())])]
    )
    sealing = Sealing(store, tmp_path)
    sealing.sealer.start()
    assert sealing.sealer.seal() == 1
