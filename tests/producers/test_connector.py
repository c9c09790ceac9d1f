"""The connector completes what an agency says and refuses what must not leave it."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from casebus_producers.connector import Connector, problem_json
from casebus_producers.known import remember_event
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Queued
from casebus_schemas.case.placing import Reference
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.door import DoorProblem
from casebus_schemas.wire.ids import chain_id, message_uuid, uuid7
from support.cases.members import door_event, open_outbox

SECRET = b"a secret of at least thirty-two bytes"
CHAIN = str(chain_id(SECRET, "csrc/shanghai-office", "case", "demo-2016-jiang"))
REASONS = "a wrong sum"
ALL = (0, 1_000, 1 << 30)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """The regulator's outbox."""
    return open_outbox(tmp_path)


@pytest.fixture
def connector(outbox: Outbox) -> Connector:
    """Its connector."""
    return Connector(outbox, Catalog.load(), lambda: SECRET)


def number(at: int) -> str:
    """An event id."""
    return str(uuid7(1_476_720_000_000 + at, bytes(10)))


def hear(outbox: Outbox, type: str, at: int, *, chain: str = CHAIN, digest: bytes | None = None) -> bytes:
    """Lets the agency know an event of the police."""
    found = digest or bytes([at]) * 32
    with outbox.writing() as writing:
        remember_event(
            writing.connection,
            digest=found,
            id=uuid7(1_476_720_000_000 + at, bytes(10)),
            type=type,
            source="/mps/base-qingdao",
            chain=chain,
            references=[Reference("mps", "case", "A-77")],
        )
    return found


def envelope_of(outbox: Outbox, queued: Queued) -> dict[str, Any]:
    """The envelope as it is sent."""
    [row] = [row for row in outbox.pending(*ALL) if row.position == queued.position]
    envelope: dict[str, Any] = decode(Catalog.load(), row.record.value)[1]["envelope"]
    return envelope


def problem_of(connector: Connector, event: object) -> str:
    """The pointer of the problem that an event has; nothing of it is queued."""
    with pytest.raises(DoorProblem) as caught:
        connector.submit(event)
    return caught.value.pointer


def test_a_first_event_mints_the_chain_of_its_first_reference(connector: Connector) -> None:
    """Without a subject the chain id comes from the agency's secret and the first local reference."""
    assert connector.submit(door_event()).chain == CHAIN


def test_spellings_of_one_reference_give_one_chain(connector: Connector) -> None:
    """A reference in other brackets, width or spacing is the same reference."""
    chains = set()
    for at, spelling in enumerate(["〔2016〕7号", "(2016) 7号", "（２０１６）７号"]):
        refs = [{"issuer": "csrc", "scheme": "case", "value": spelling}]
        chains.add(connector.submit(door_event(id=number(at), envelope={"local_refs": refs})).chain)
    assert len(chains) == 1


def test_a_reference_that_was_heard_is_not_minted_again(outbox: Outbox, connector: Connector) -> None:
    """A reference known from another agency's event leads to that event's chain."""
    other = str(chain_id(b"x" * 32, "mps", "case", "A-77"))
    hear(outbox, "referral.receipted", 1, chain=other)
    refs = [
        {"issuer": "csrc", "scheme": "case", "value": "new"},
        {"issuer": "mps", "scheme": "case", "value": "a-77"},
    ]
    assert connector.submit(door_event(envelope={"local_refs": refs})).chain == other


def test_an_answer_copies_the_chain_and_fills_the_digest(outbox: Outbox, connector: Connector) -> None:
    """`in_reply_to` of a known event gives subject and `in_reply_to_hash`."""
    digest = hear(outbox, "referral.supplement_requested", 1, chain=CHAIN)
    answer = door_event(
        type="referral.supplemented",
        id=number(2),
        envelope={"message_class": "response", "in_reply_to": number(1), "local_refs": []},
    )
    queued = connector.submit(answer)
    assert queued.chain == CHAIN
    assert envelope_of(outbox, queued)["in_reply_to_hash"] == digest


def test_an_answer_may_follow_in_the_same_breath(outbox: Outbox, connector: Connector) -> None:
    """An event of one's own can be answered, corrected or followed at once."""
    first = connector.submit(door_event())
    corrected = door_event(
        type="referral.corrected",
        id=number(3),
        data={"reasons": REASONS},
        envelope={"in_reply_to": str(first.id), "corrects": first.digest.hex(), "local_refs": []},
    )
    queued = connector.submit(corrected)
    assert queued.chain == first.chain
    assert envelope_of(outbox, queued)["in_reply_to_hash"] == first.digest


def test_the_same_message_number_is_the_same_event(outbox: Outbox, connector: Connector) -> None:
    """Without an id the sender's own number gives it, so that a retry is a repeat."""
    event = door_event(envelope={"message_no": "沪证监〔2016〕7号"})
    del event["id"]
    first, second = connector.submit(event), connector.submit(event)
    assert first.id == message_uuid("csrc", "沪证监〔2016〕7号")
    assert (second.position, second.repeated) == (first.position, True)


def test_a_repeat_stays_a_repeat_when_more_is_known(outbox: Outbox, connector: Connector) -> None:
    """An answer handed in again after the answered event was heard is the same event."""
    answer = door_event(
        type="referral.supplemented",
        subject=CHAIN,
        envelope={"message_class": "response", "in_reply_to": number(1), "local_refs": []},
    )
    first = connector.submit(answer)
    hear(outbox, "referral.supplement_requested", 1)
    second = connector.submit(answer)
    assert (second.digest, second.repeated) == (first.digest, True)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"source": "/mps/base-qingdao"}, "/source"),
        ({"type": "referral.filed"}, "/type"),
        ({"type": "receipt.admitted"}, "/source"),
        ({"envelope": {"handling": "S"}}, "/data/envelope/handling"),
        ({"data": {"earlier_penalties": ["-", "110101199003070118"]}}, "/data/earlier_penalties/1"),
        ({"envelope": {"to": ["mps/unit", "customs"]}}, "/data/envelope/to/1"),
        ({"source": "/csrc/110101199003070118"}, "/source"),
        ({"source": "/csrc/沪办"}, "/source"),
        ({"time": "9999-12-31T23:59:59Z"}, "/time"),
        ({"data": {"approved_at": "1899-12-31T23:59:59Z"}}, "/data/approved_at"),
        ({"envelope": {"local_refs": []}}, "/subject"),
        ({"envelope": {"in_reply_to": number(9)}}, "/data/envelope/in_reply_to"),
        ({"envelope": {"in_reply_to_hash": "ABC"}}, "/data/envelope/in_reply_to_hash"),
        ({"envelope": {"corrects": "00" * 31}}, "/data/envelope/corrects"),
        ({"envelope": {"handlin": "H1"}}, "/data/envelope/handlin"),
        ({"time": "2016-10-18"}, "/time"),
        ({"id": None}, "/id"),
    ],
)
def test_what_must_not_leave_is_refused_with_its_place(
    outbox: Outbox, connector: Connector, change: dict[str, Any], pointer: str
) -> None:
    """Each wrong event is refused with the JSON pointer of the fault, and nothing is queued."""
    event = door_event(**change)
    if change == {"type": "receipt.admitted"}:
        pointer = "/data/stage"  # another shape altogether: it lacks the first field of a receipt
        event["data"] = {}
    assert problem_of(connector, event) == pointer
    assert outbox.status().pending == 0


def test_another_agencys_event_cannot_be_corrected(outbox: Outbox, connector: Connector) -> None:
    """`corrects` may name only an event of one's own."""
    digest = hear(outbox, "referral.receipted", 1)
    said = {"data": {"reasons": REASONS}, "envelope": {"corrects": digest.hex()}}
    event = door_event(type="referral.corrected", subject=CHAIN, **said)
    assert problem_of(connector, event) == "/data/envelope/corrects"


def test_an_answer_fits_what_it_answers(outbox: Outbox, connector: Connector) -> None:
    """A type that answers only some types cannot answer another."""
    hear(outbox, "referral.filed", 1)
    event = door_event(type="referral.supplemented", envelope={"in_reply_to": number(1)})
    assert problem_of(connector, event) == "/data/envelope/in_reply_to"


def test_a_subject_that_contradicts_the_answered_event_is_refused(
    outbox: Outbox, connector: Connector
) -> None:
    """An answer stays in the chain of what it answers."""
    hear(outbox, "referral.supplement_requested", 1)
    other = str(chain_id(SECRET, "csrc/shanghai-office", "case", "another"))
    event = door_event(type="referral.supplemented", subject=other, envelope={"in_reply_to": number(1)})
    assert problem_of(connector, event) == "/subject"


def test_an_id_that_stands_for_two_events_needs_the_digest(outbox: Outbox, connector: Connector) -> None:
    """Where an id was used twice only the digest says which event is answered."""
    hear(outbox, "referral.supplement_requested", 1, digest=b"a" * 32)
    hear(outbox, "referral.supplement_requested", 1, digest=b"b" * 32)
    envelope = {"in_reply_to": number(1), "local_refs": []}
    event = door_event(type="referral.supplemented", id=number(2), envelope=envelope)
    assert problem_of(connector, event) == "/data/envelope/in_reply_to_hash"
    event["data"]["envelope"]["in_reply_to_hash"] = (b"b" * 32).hex()
    assert envelope_of(outbox, connector.submit(event))["in_reply_to_hash"] == b"b" * 32


def test_an_id_used_for_something_else_is_a_problem(outbox: Outbox, connector: Connector) -> None:
    """The same id with other content is refused at the door."""
    connector.submit(door_event())
    assert problem_of(connector, door_event(envelope={"cc": []})) == "/id"
    assert outbox.status().pending == 1


def test_key_events_go_to_the_one_partition_of_their_topic(outbox: Outbox, connector: Connector) -> None:
    """An event whose topic has one partition is signed for partition 0."""
    example = Path(__file__).parents[2] / "schemas/casebus_schemas/examples/key.announced.1.json"
    event = {**json.loads(example.read_text()), "source": "/csrc"}
    queued = connector.submit(event)
    assert (queued.topic, queued.partition) == ("csrc.key", 0)


def test_problems_carry_pointer_and_line(connector: Connector) -> None:
    """Problem details name the JSON pointer and the line of the input."""
    with pytest.raises(DoorProblem) as caught:
        connector.submit(door_event(envelope={"handling": "S"}))
    problem = problem_json(caught.value, line=7)
    assert (problem["status"], problem["line"]) == (422, 7)
    assert [each["pointer"] for each in problem["errors"]] == ["#/data/envelope/handling"]


def test_all_problems_of_an_event_are_details(connector: Connector) -> None:
    """Each mistake in one event has its own entry in the problem details."""
    with pytest.raises(DoorProblem) as caught:
        connector.submit(door_event(type="referral.filed", envelope={"to": ["customs"], "handling": "S"}))
    assert [each["pointer"] for each in problem_json(caught.value)["errors"]] == [
        "#/data/envelope/handling",
        "#/data/envelope/to/0",
        "#/type",
    ]


def test_events_queued_together_see_each_other_and_a_wrong_one_is_named(
    outbox: Outbox, connector: Connector
) -> None:
    """In one call an event finds the chain of the one before it; what is wrong stands in its place."""
    wrong = door_event(id=number(2), envelope={"handling": "S"})
    refs = [{"issuer": "csrc", "scheme": "case", "value": value} for value in ("B-2", "demo-2016-jiang")]
    again = door_event(id=number(3), envelope={"local_refs": refs})
    first, problem, second, repeated = connector.submit_all([door_event(), wrong, again, door_event()])
    assert isinstance(first, Queued)
    assert isinstance(second, Queued)
    assert isinstance(problem, DoorProblem)
    assert problem.pointer == "/data/envelope/handling"
    assert isinstance(repeated, Queued)
    assert (repeated.digest, repeated.repeated) == (first.digest, True)
    assert second.chain == first.chain
    assert [row.position for row in outbox.recent()] == [second.position, first.position]


def test_what_the_agency_said_is_known_without_being_written_twice(
    outbox: Outbox, connector: Connector
) -> None:
    """An event of the outbox is found by id and digest, with its source; a notice of it changes nothing."""
    queued = connector.submit(door_event())
    with outbox.writing() as writing:
        remember_event(
            writing.connection,
            digest=queued.digest,
            id=queued.id,
            type=queued.type,
            source="/csrc/shanghai-office",
            chain=queued.chain,
            references=[],
        )
        found = writing.event_of_digest(queued.digest)
        assert writing.events_of_id(queued.id) == [found]
    assert found is not None
    assert (found.source, found.chain, found.sent) == ("/csrc/shanghai-office", queued.chain, True)


def test_e5_each_office_numbers_for_itself(connector: Connector) -> None:
    """One number of two offices is two matters; who names no office where both are known is asked which."""
    second = str(UUID(int=2))
    other = door_event(source="/csrc/beijing-office", id=second)
    assert connector.submit(door_event()).chain != connector.submit(other).chain
    assert (
        problem_of(connector, door_event(source="/csrc", id=str(UUID(int=3)))) == "/data/envelope/local_refs"
    )
