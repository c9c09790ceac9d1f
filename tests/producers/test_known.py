"""What an agency knows of events and case numbers is not for others to decide."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from casebus_producers.connector import Connector
from casebus_producers.known import remember_event
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.case.placing import Reference
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.door import DoorProblem
from casebus_schemas.wire.ids import chain_id, uuid7
from support.cases.members import door_event, open_outbox

SECRET = b"a secret of at least thirty-two bytes"
NUMBER = Reference("mps/base-qingdao", "case", "A-77")
TRUE, FALSE = (str(chain_id(SECRET, "mps", "case", name)) for name in ("true", "false"))


def event_id(at: int) -> UUID:
    """An event id."""
    return uuid7(1_476_720_000_000 + at, bytes(10))


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """The regulator's outbox."""
    return open_outbox(tmp_path)


def hear(outbox: Outbox, source: str, chain: str, at: int, *references: Reference, id: int = 0) -> None:
    """Lets the regulator know an event."""
    with outbox.writing() as writing:
        remember_event(
            writing.connection,
            digest=bytes([at]) * 32,
            id=event_id(id or at),
            type="referral.supplement_requested",
            source=source,
            chain=chain,
            references=references,
        )


def place(outbox: Outbox, reference: Reference) -> str:
    """The chain into which the regulator's event of that reference comes."""
    refs = [reference._asdict()]
    return (
        Connector(outbox, Catalog.load(), lambda: SECRET)
        .submit(door_event(envelope={"local_refs": refs}))
        .chain
    )


def test_new_nobody_places_the_cases_of_another(outbox: Outbox) -> None:
    """An agency's own number belongs to its own chain, whatever others have called by that number before."""
    own = Reference("csrc/shanghai-office", "case", "demo-2016-jiang")
    hear(outbox, "/mps", FALSE, 1, own, own._replace(issuer="csrc"))
    minted = str(chain_id(SECRET, *own))
    assert place(outbox, own._replace(issuer="csrc")) == minted


def test_new_the_word_of_whose_number_it_is_comes_before_any_other(outbox: Outbox) -> None:
    """What a third agency calls by a number counts until its giver has spoken, and never beside him."""
    hear(outbox, "/spp", FALSE, 1, NUMBER)
    assert place(outbox, NUMBER._replace(issuer="mps")) == FALSE
    hear(outbox, "/mps/base-qingdao", TRUE, 2, NUMBER)
    hear(outbox, "/spp", FALSE, 3, NUMBER._replace(issuer="mps/another-office"))
    with outbox.writing() as writing:
        assert writing.chain_of(NUMBER._replace(issuer="mps")) == TRUE


def test_new_claims_that_differ_place_nothing(outbox: Outbox) -> None:
    """Two chains that strangers call by one number are a reason neither to choose nor to refuse."""
    hear(outbox, "/spp", FALSE, 1, NUMBER)
    hear(outbox, "/court", TRUE, 2, NUMBER._replace(issuer="mps/another-office"))
    with outbox.writing() as writing:
        assert writing.chain_of(NUMBER._replace(issuer="mps")) is None


@pytest.mark.parametrize("order", [("/spp", "/mps"), ("/mps", "/spp")])
def test_new_a_strangers_use_of_an_id_neither_holds_up_nor_draws_an_answer(
    outbox: Outbox, order: tuple[str, str]
) -> None:
    """Of two agencies' events of one id that is answered to whom the answer goes, whoever was first."""
    for at, source in enumerate(order, 1):
        hear(outbox, source, TRUE if source == "/spp" else FALSE, at, id=5)
    queued = Connector(outbox, Catalog.load(), lambda: SECRET).submit(answer(to=["spp"]))
    assert queued.chain == TRUE


def test_new_who_answers_two_of_one_id_is_asked_which(outbox: Outbox) -> None:
    """Where the answer goes to both agencies nothing is guessed; a chain that is named decides."""
    hear(outbox, "/spp", TRUE, 1, id=5)
    hear(outbox, "/mps", FALSE, 2, id=5)
    connector = Connector(outbox, Catalog.load(), lambda: SECRET)
    with pytest.raises(DoorProblem, match="stands for 2 events"):
        connector.submit(answer(to=["spp", "mps"]))
    assert connector.submit(answer(to=["spp", "mps"]) | {"subject": TRUE}).chain == TRUE


def answer(to: list[str]) -> dict[str, Any]:
    """What the regulator supplies where it was asked for by the event of id 5."""
    reply = {
        "message_class": "response",
        "in_reply_to": str(event_id(5)),
        "local_refs": [],
        "to": to,
        "cc": [],
    }
    return door_event(type="referral.supplemented", envelope=reply)
