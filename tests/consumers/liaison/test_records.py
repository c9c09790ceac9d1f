"""Readers take apart exactly what the router writes."""

import io

import pytest

from casebus_consumers.liaison.dead_letters import parse_dead_letter
from casebus_consumers.liaison.inbox import Notice
from casebus_consumers.liaison.notice_panel import show_panel
from casebus_consumers.liaison.notice_view import notice_lines, plain_lines
from casebus_consumers.panels import Screen
from casebus_producers.received.inbox_reader import Unreadable
from casebus_schemas.admission.notice_records import NOTICE_HEADERS, parse_notice
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.door import to_json
from casebus_schemas.wire.headers import fields_of
from casebus_schemas.wire.ids import notice_id
from casebus_schemas.wire.records import Outgoing
from support.events.signed_events import Speaker, envelope, referral, stored
from support.router.router_writings import dead_letter, notices_of


def notice_of(speaker: Speaker) -> Notice:
    """The police's notice of a referral, as the inbox reader gives it."""
    event = speaker.refer()
    record = parse_notice(stored(notices_of(speaker, event)["inbox.mps"], 12))
    _, data = decode(Catalog.load(), event.record.value)
    return Notice("mps", record, to_json(record.headers, data))


def test_a_notice_gives_back_the_original(speaker: Speaker) -> None:
    """Event, digest, place, role and notice id are those of the original."""
    event = speaker.refer(cc=["spp"])
    written = notices_of(speaker, event)
    assert sorted(written) == ["inbox.mps", "inbox.spp"]
    found = {topic: parse_notice(stored(record, 12)) for topic, record in written.items()}
    for topic, notice in found.items():
        original = stored(event, 41, notice.event.timestamp_ms)
        assert notice.event == original
        assert (notice.seq, notice.digest) == (12, event.digest)
        assert notice.notice == notice_id(fields_of(event.record), topic.removeprefix("inbox."))
        assert notice.origin == Origin(event.record.topic, event.record.partition, 41)
        assert notice.admitted_at.isoformat() == "2016-10-18T14:13:20.123000+00:00"
    assert (found["inbox.mps"].role, found["inbox.spp"].role) == ("to", "cc")


def test_a_notices_json_is_the_contracts(speaker: Speaker) -> None:
    """The JSON has the members of the contract, the event with its chain filled in."""
    notice = notice_of(speaker)
    body = notice.to_json()
    assert sorted(body) == ["admitted_at", "event", "notice", "role", "seq"]
    assert body["event"]["subject"] == notice.record.headers.subject
    assert body["admitted_at"] == "2016-10-18T14:13:20.123Z"


@pytest.mark.parametrize("drop", [*NOTICE_HEADERS, "ce_id"])
def test_other_records_are_no_notices(speaker: Speaker, drop: str) -> None:
    """A record without one of the needed headers is refused with its place."""
    record = stored(notices_of(speaker, speaker.refer())["inbox.mps"], 12)
    broken = record._replace(headers=tuple(pair for pair in record.headers if pair[0] != drop))
    with pytest.raises(BusError, match=r"not a notice.*inbox\.mps/0/12"):
        parse_notice(broken)


def test_an_officer_reads_chinese_and_english(speaker: Speaker) -> None:
    """Lines name number, role, sender and title in both languages, and what it is about."""
    notice = notice_of(speaker)
    head, *rest = notice_lines(notice, Catalog.load())
    for word in (
        "#12",
        "2016-10-18 22:13:20",
        "主送 to",
        "证监会 csrc",
        "移送涉嫌犯罪案件",
        "suspected crime",
    ):
        assert word in head
    assert any("姜某君" in line for line in rest)
    assert any("发生 occurred 2016-10-18" in line for line in rest)


def test_without_a_terminal_lines_are_plain(speaker: Speaker) -> None:
    """Into a pipe go plain lines without control characters or frames."""
    notice = notice_of(speaker)
    head, *rest = plain_lines(notice, Catalog.load())
    assert [head, *rest] == [
        line if at == 0 else f"    {line}" for at, line in enumerate(notice_lines(notice, Catalog.load()))
    ]
    assert all("\x1b" not in line for line in (head, *rest))


def test_on_a_terminal_a_notice_is_a_panel(speaker: Speaker) -> None:
    """On a terminal a notice stands in a frame and markup in it is shown, not obeyed."""
    out = io.StringIO()
    notice = notice_of(speaker)
    notice.event["data"]["suspects"][0]["name"] = "[red]姜"
    show_panel(notice, Catalog.load(), Screen(file=out, width=200, force_terminal=True))
    assert "[red]姜" in out.getvalue()
    assert "─" in out.getvalue()
    show_panel(Unreadable(3, "why [b]"), Catalog.load(), Screen(file=out, width=200, force_terminal=True))
    assert "why [b]" in out.getvalue()


def test_a_dead_letter_gives_back_the_refused_bytes(speaker: Speaker) -> None:
    """Reason, attempt, place and the original byte for byte; the event as far as it can be read."""
    event = speaker.refer()
    refused = Outgoing(
        *event.record[:3], event.record.value[:-1] if event.record.value else b"", event.record.headers
    )
    letter = parse_dead_letter(stored(dead_letter(speaker, refused), 3))
    assert (letter.agency, letter.seq, letter.code, letter.attempt) == ("csrc", 3, "bad-body", 2)
    assert letter.record == stored(refused, 41, letter.record.timestamp_ms)
    assert letter.detail
    body = letter.to_json(Catalog.load())
    assert body["event"]["type"] == "referral.submitted"
    assert (body["readable"], body["sha256"]) == (None, None)


def test_a_secrets_dead_letter_has_only_digests(speaker: Speaker) -> None:
    """Of a state secret nothing is shown but the digests."""
    event = speaker.say("referral.submitted", referral(envelope=envelope(handling="S")))
    letter = parse_dead_letter(stored(dead_letter(speaker, event), 3))
    body = letter.to_json(Catalog.load())
    assert letter.code == "level-s"
    assert (body["value"], body["headers"], body["readable"]) == (None, [], None)
    assert sorted(body["sha256"]) == ["headers", "key", "value"]


def test_a_forged_reason_does_not_count(speaker: Speaker) -> None:
    """Headers that an agency sent under the router's names do not pass for the reason."""
    event = speaker.refer()
    forged = (("casebus-error-code", b"level-s"), ("casebus-origin", b"x/1/1"), *event.record.headers)
    refused = event.record._replace(headers=forged)
    letter = parse_dead_letter(stored(dead_letter(speaker, refused), 3))
    assert letter.code == "bad-headers"
    assert letter.record.headers == forged


def test_other_records_are_no_dead_letters(speaker: Speaker) -> None:
    """A record without the router's reason is refused with its place."""
    record = stored(speaker.refer(), 9)
    with pytest.raises(BusError, match=r"not a dead letter.*9"):
        parse_dead_letter(record)
