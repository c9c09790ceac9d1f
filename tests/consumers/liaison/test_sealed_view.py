"""How an officer sees sealed content: in a notice and in a case, marked, and only what opened."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from casebus_consumers.liaison.case_sealed import opener_of, sealed_case_lines, sealed_in
from casebus_consumers.liaison.inbox import Notice, read_notice
from casebus_consumers.liaison.notice_view import notice_lines
from casebus_consumers.liaison.sealed_facts import SealedFacts
from casebus_producers.sealing.opener import Opener
from casebus_schemas.admission.notice_records import NoticeRecord
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.case.chain import ChainEvent, chain_event
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from support.cases.members import door_event, settings_of
from support.events.mutated_events import CHAIN
from support.events.signed_events import stored
from support.scenes.sealed_bus import CATALOG, NAME, PERSON, SUSPECT, SealedBus

AT = datetime(2026, 11, 29, tzinfo=UTC)
FULL = {
    **PERSON,
    "former_names": ["姜某丁"],
    "documents": [{"kind": "resident_id", "number": "11010519491231002X", "issuer": "北京"}],
    "born_on": "1949-12-31",
    "contacts": ["010-12345678"],
    "notes": "常住外地",
}


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[SealedBus]:
    """A bus of files alone."""
    found = SealedBus(tmp_path)
    yield found
    found.outbox.close()


def _notice(bus: SealedBus) -> NoticeRecord:
    personal = {"persons": [copy.deepcopy(FULL)], "notes": "仅此一人"}
    data = {"suspects": [SUSPECT], "sealed": personal}
    queued = bus.connector.submit(door_event(subject=CHAIN, data=data))
    (row,) = [row for row in bus.outbox.pending(0, 100, 1 << 30) if row.position == queued.position]
    headers = EventHeaders.parse(row.record.headers)
    event = stored(row.record)
    origin = Origin(event.topic, event.partition, event.offset)
    return NoticeRecord(7, UUID(int=1), "to", origin, AT, event, headers, queued.digest)


def _read(bus: SealedBus, agency: str) -> Notice:
    opener = Opener(settings_of(bus.connection, agency), CATALOG)
    found = read_notice(agency, _notice(bus), CATALOG, opener)
    assert isinstance(found, Notice)
    return found


def test_a_notice_shows_every_sealed_fact_behind_the_mark(bus: SealedBus) -> None:
    """The recipient reads all of it, in both languages, each line marked; the head says for whom it is."""
    lines = notice_lines(_read(bus, "mps"), CATALOG)
    marked = [line for line in lines if line.startswith("密封 SEALED  ")]
    assert marked[0].startswith("密封 SEALED  仅供有权者阅 for its readers only  → ")
    assert "公安部" in marked[0]
    assert "最高检" in marked[0]
    assert marked[1:] == [
        f"密封 SEALED  S1  {NAME}、姜某丁   生于 born 1949-12-31",
        "密封 SEALED  S1  居民身份证 resident identity number 11010519491231002X (北京)",
        "密封 SEALED  S1  住址 address 上海市某路1号",
        "密封 SEALED  S1  联系方式 contact 010-12345678",
        "密封 SEALED  S1  备注 notes 常住外地",
        "密封 SEALED  备注 notes 仅此一人",
    ]
    assert not any(NAME in line for line in lines if line not in marked)


def test_a_notice_in_json_has_the_facts_beside_the_event(bus: SealedBus) -> None:
    """The event stays as it was said, with its bytes; what opened stands apart."""
    told = _read(bus, "spp").to_json()
    assert told["sealed"]["state"] == "opened"
    assert told["sealed"]["for"] == ["mps", "spp"]
    assert told["sealed"]["personal"]["persons"][0]["name"] == NAME
    assert isinstance(told["event"]["data"]["sealed"], str)
    assert NAME not in str(told["event"])


def test_who_is_no_reader_sees_that_something_is_sealed(bus: SealedBus) -> None:
    """Another agency is told for whom it is, and not one fact."""
    found = _read(bus, "court")
    assert found.to_json()["sealed"] == {"state": "for_others", "for": ["mps", "spp"]}
    (line,) = [line for line in notice_lines(found, CATALOG) if line.startswith("密封 SEALED")]
    assert "非本机关可阅 for others" in line
    assert NAME not in "\n".join(notice_lines(found, CATALOG))


class FindingHeard:
    """A notice of a finding about one event."""

    opened = None

    def __init__(self, about: str) -> None:
        self._about = about

    def to_json(self) -> dict[str, Any]:
        """As the inbox tells it."""
        finding = {"id": "f1", "accounts": [{"agency": "csrc", "event": self._about}, {"agency": "mps"}]}
        return {"event": {"type": "finding.opened", "data": {"findings": [finding]}}}


def test_who_answers_a_finding_sees_what_was_sealed_for_him(bus: SealedBus) -> None:
    """Of the events that it is about, to the recipient alone; others are told for whom it is."""
    for agency, reads in (("mps", True), ("court", False)):
        notice, facts = _read(bus, agency), SealedFacts()
        digest = notice.record.digest.hex()
        told = list(facts.noted([(notice, digest), (FindingHeard(digest), "ab")]))
        assert [one["digest"] for one in told] == [digest, "ab"]
        lines = list(facts.lines("f1"))
        assert lines[0] == f"密封内容 sealed in referral.submitted {digest[:16]}"
        assert any(NAME in line for line in lines) == reads
        assert list(facts.lines("f2")) == []


def test_a_notice_without_anything_sealed_is_as_before(bus: SealedBus) -> None:
    """No mark and no member where nothing is sealed."""
    notice = _notice(bus)
    plain = bus.connector.submit(door_event(id="0190163d-8694-739b-aea5-966c26f8ad99", subject=CHAIN))
    (row,) = [row for row in bus.outbox.pending(0, 100, 1 << 30) if row.position == plain.position]
    headers = EventHeaders.parse(row.record.headers)
    record = NoticeRecord(8, UUID(int=2), "to", notice.origin, AT, stored(row.record), headers, plain.digest)
    found = read_notice("mps", record, CATALOG, Opener(settings_of(bus.connection, "mps"), CATALOG))
    assert isinstance(found, Notice)
    assert "sealed" not in found.to_json()
    assert not any("SEALED" in line for line in notice_lines(found, CATALOG))


def _event(bus: SealedBus) -> ChainEvent:
    notice = _notice(bus)
    return chain_event(
        digest=notice.digest,
        id=notice.headers.id,
        type=notice.headers.type,
        source=notice.headers.source,
        chain=CHAIN,
        time_ms=notice.headers.time_ms,
        admitted_at_ms=notice.headers.time_ms,
        body=decode(CATALOG, notice.event.value)[1],
        told={"mps": "to", "spp": "cc"},
    )


@pytest.mark.parametrize(
    ("agency", "state", "opens"),
    [
        ("mps", "opened", True),
        ("csrc", "opened", True),
        ("court", "for_others", False),
        (None, "for_others", False),
    ],
)
def test_a_case_opens_for_an_agency_with_its_own_files(
    bus: SealedBus, agency: str | None, state: Any, opens: bool
) -> None:
    """Reader and speaker see the name in the case; others, and the operator, see for whom it is."""
    event = _event(bus)
    opener = opener_of(bus.connection, agency, CATALOG)
    (found,) = sealed_in([event], [{"event": event.digest.hex()}], opener, CATALOG)
    assert (found["state"], found["for"]) == (state, ["mps", "spp"])
    assert ("personal" in found) == opens
    assert (NAME in "\n".join(sealed_case_lines([found]))) == opens


def test_a_case_says_nothing_of_events_that_it_does_not_show(bus: SealedBus) -> None:
    """What an agency was not told of is not named for its sealed part either."""
    event = _event(bus)
    assert sealed_in([event], [], opener_of(bus.connection, "mps", CATALOG), CATALOG) == []
