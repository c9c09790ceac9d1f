"""One judge: what the check calls fine the door takes and the router admits, and the other way round."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from casebus_producers.checking.check import check
from casebus_producers.checking.forbidden import AgainstLaw
from casebus_schemas.catalogue.catalog import RECEIPTS
from casebus_schemas.catalogue.limits import MOST_CHARS
from casebus_schemas.catalogue.topology import topic
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.codec import MAX_VALUE_BYTES, encode, encode_raw
from casebus_schemas.wire.door import DoorEvent, DoorProblem, parse_event
from casebus_services.router.judgement import judge
from support.cases.made_up import made_up
from support.cases.members import door_event
from support.events.doors import CATALOG, NOW_MS, Doors
from support.events.mutated_events import CHAIN, EXAMPLES, RESIDENT_ID, mutated_events
from support.events.signed_events import stored

NOW = datetime(2026, 11, 28, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    """One for all events: none of them is queued."""
    with ExitStack() as stack:
        found = Doors(Path(stack.enter_context(TemporaryDirectory())))
        stack.callback(found.close)
        yield found


def _agree(doors: Doors, event: dict[str, Any]) -> tuple[bool, str | None]:
    """Holds check, door and router to each other; gives whether all is well, and the code if not."""
    answer = check([event], NOW, CATALOG)
    codes = [refused["code"] for refused in answer.refused]
    parsed = _parsed(event)
    if not isinstance(parsed, DoorEvent):
        # There are no bytes for a router to judge.
        assert [one.pointer for one in parsed] == [refused["pointer"] for refused in answer.refused]
        return False, codes[0]
    at_the_door = doors.problems(event, parsed.agency)
    assert answer.ok == (not at_the_door)
    against_law = [one for one in at_the_door if isinstance(one, AgainstLaw)]
    assert bool(against_law) == bool(answer.forbidden)  # for a reason it is said, and the bus has it
    others = {one.pointer for one in at_the_door if one not in against_law}
    assert others == {refused["pointer"] for refused in answer.refused}
    kind = CATALOG.event(parsed.type)
    if kind.channel == RECEIPTS or topic(kind.topic(parsed.agency), 4) is None:
        assert not answer.ok  # there is no place for it on the bus
    else:
        try:
            judged = doors.judged(parsed)
        except UsageError:
            assert codes[0] == "too-large"  # there is no value for a router to judge
            return False, codes[0]
        assert judged.admitted == (not codes), (judged.detail, answer.refused)
        assert judged.code == (codes[0] if codes else None)
    return answer.ok, codes[0] if codes else None


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_judged_alike(doors: Doors, name: str) -> None:
    """The examples of the contract are fine for all three; receipts of the bus are nobody's to publish."""
    event = {**EXAMPLES[name], "subject": EXAMPLES[name].get("subject") or CHAIN}
    ok, code = _agree(doors, event)
    of_the_bus = CATALOG.event(event["type"]).channel == RECEIPTS
    assert (ok, code) == ((False, "not-authorised") if of_the_bus else (True, None))


@settings(max_examples=made_up(400), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(event=mutated_events())
def test_c9_check_door_and_router_agree(doors: Doors, event: dict[str, Any]) -> None:
    """Whatever an event looks like, the three say the same of it, and nothing but a clean refusal."""
    _agree(doors, event)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"envelope": {"to": ["mps", "customs"]}}, "bad-body", "/data/envelope/to/1"),
        ({"envelope": {"cc": ["customs/office"]}}, "bad-body", "/data/envelope/cc/0"),
        ({"envelope": {"handling": "S"}}, "level-s", "/data/envelope/handling"),
        ({"envelope": {"message_no": RESIDENT_ID}}, "personal-data", "/data/envelope/message_no"),
        ({"source": f"/csrc/{RESIDENT_ID}"}, "personal-data", "/source"),
        ({"source": "/mps/office"}, "not-authorised", "/type"),
    ],
)
def test_a_fault_has_one_code_and_place(
    doors: Doors, changes: dict[str, Any], code: str, pointer: str
) -> None:
    """What one of the three refuses all refuse, with the code of the bus and the place of the fault."""
    event = door_event(subject=CHAIN, **changes)
    assert _agree(doors, event) == (False, code)
    (refused,) = check([event], NOW, CATALOG).refused
    assert (refused["code"], refused["pointer"]) == (code, pointer)
    assert pointer in (doors.judged(parse_event(event, CATALOG)).detail or "")


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59.999Z", "9900-01-01T00:00:00Z", "1899-12-31T23:59:59Z"])
def test_e4_an_impossible_time_is_refused_with_its_place(doors: Doors, time: str) -> None:
    """A time from which no term can be counted is refused at the door, and as bad-body on the bus."""
    event = door_event(subject=CHAIN, time=time)
    assert [one.pointer for one in _problems(event)] == ["/time"]
    (refused,) = check([event], NOW, CATALOG).refused
    assert (refused["code"], refused["pointer"]) == ("bad-body", "/time")


def test_an_impossible_time_of_another_program_is_refused_by_the_router(doors: Doors) -> None:
    """A program without our door cannot bring one in: the router's refusal names the place, too."""
    event = parse_event({**EXAMPLES["referral.submitted.1"], "subject": CHAIN}, CATALOG)
    schema = CATALOG.latest(event.type)
    composed = doors.speakers["csrc"].say(event.type, event.data, CHAIN)
    raw = schema.to_raw(event.data)
    raw["amounts"][0]["period"]["from"] = (date(9999, 12, 31) - date(1970, 1, 1)).days
    found = judge(stored(composed)._replace(value=encode_raw(schema, raw)), CATALOG, doors.keyring, 4, NOW_MS)
    assert found.code == "bad-body"
    assert (found.detail or "").startswith("/data/amounts/0/period/from: ")


def test_a6_what_is_too_long_is_named_alike(doors: Doors) -> None:
    """Check, door and router refuse what is too long with code, place, count and limit."""
    suspect: dict[str, Any] = {"ref": "S1", "kind": "natural", "name": "姜某君", "role": None, "tokens": []}
    long = {"suspects": [suspect] * 501, "earlier_penalties": ["", "x" * 4001]}
    event = door_event(subject=CHAIN, data=long)
    assert _agree(doors, event) == (False, "too-large")
    refused = check([event], NOW, CATALOG).refused
    assert [one["pointer"] for one in refused] == ["/data/suspects", "/data/earlier_penalties/1"]
    assert "found 501 items, expected at most 500" in refused[0]["detail"]
    assert doors.judged(parse_event(event, CATALOG)).detail == refused[0]["detail"]


@pytest.mark.parametrize(
    "control", ["\x00", "\x07", "\x1b[2J", "\x9b", "\r\n", "\u202e", "\u2067", "\u200f", "\u061c"]
)
def test_b9_controls_are_refused_alike(doors: Doors, control: str) -> None:
    """Check and door name the text that holds a control or a mark of direction, and so does the router."""
    event = door_event(subject=CHAIN, envelope={"message_no": f"沪{control}1"})
    assert _agree(doors, event) == (False, "bad-body")
    (refused,) = check([event], NOW, CATALOG).refused
    assert refused["pointer"] == "/data/envelope/message_no"
    parsed = parse_event(door_event(subject=CHAIN, envelope={"message_no": "沪@@1"}), CATALOG)
    said = stored(doors.speakers["csrc"].say(parsed.type, parsed.data, CHAIN))
    raw = CATALOG.latest(parsed.type).to_raw(parsed.data)
    raw["envelope"]["message_no"] = f"沪{control}1"
    value = encode_raw(CATALOG.latest(parsed.type), raw)
    found = judge(said._replace(value=value), CATALOG, doors.keyring, 4, NOW_MS)
    assert (found.code, (found.detail or "").partition(":")[0]) == ("bad-body", "/data/envelope/message_no")
    assert (found.detail or "").isprintable()


@pytest.mark.parametrize("text", ["two\n\tlines", "全角\u3000空格", "é\u0301", "\u2028"])
def test_b9_lines_are_kept_where_a_text_may_have_them(doors: Doors, text: str) -> None:
    """A field of several lines takes line feeds and tabulators; any text unusual letters."""
    data = {**EXAMPLES["finding.explained.1"]["data"], "explanation": text}
    event = {**EXAMPLES["finding.explained.1"], "subject": CHAIN, "data": data}
    assert _agree(doors, event) == (True, None)


def test_b9_free_text_of_headers_is_refused(doors: Doors) -> None:
    """Unit and producer cannot hold a control: their headers are refused, and the refusal repeats none."""
    parsed = parse_event(door_event(subject=CHAIN), CATALOG)
    said = stored(doors.speakers["csrc"].say(parsed.type, parsed.data, CHAIN))
    for name in ("ce_source", "casebus-producer", "ce_specversion"):
        headers = tuple((n, (v or b"") + b"\x1b[2J" if n == name else v) for n, v in said.headers)
        found = judge(said._replace(headers=headers), CATALOG, doors.keyring, 4, NOW_MS)
        assert found.code == "bad-headers"
        assert (found.detail or "").startswith(name)
        assert (found.detail or "").isprintable()


def test_b7_sealed_bytes_are_refused_alike(doors: Doors) -> None:
    """Bytes in `sealed` are refused while nobody encrypts them, by check, door and router."""
    event = door_event(subject=CHAIN, data={"sealed": "5aeT5p+Q5ZCb"})
    assert _agree(doors, event) == (False, "bad-body")
    assert [one["pointer"] for one in check([event], NOW, CATALOG).refused] == ["/data/sealed"]


def _answer(doors: Doors, event: dict[str, Any]) -> list[tuple[str, str]]:
    """Code and place of all that is wrong, on which check, door and router agree."""
    _agree(doors, event)
    return [(one["code"], one["pointer"]) for one in check([event], NOW, CATALOG).refused]


@pytest.mark.parametrize("to", [[], ["csrc"], ["court", "spp/office"], ["bus"]])
def test_c1_a_referral_goes_to_who_can_answer_it(doors: Doors, to: list[str]) -> None:
    """Without anybody in `to` who could answer, but its speaker, a referral is refused by all."""
    event = door_event(subject=CHAIN, envelope={"to": to})
    assert _answer(doors, event) == [("bad-body", "/data/envelope/to")]
    assert _answer(doors, door_event(subject=CHAIN, envelope={"to": [*to, "mps/base"]})) == []


@pytest.mark.parametrize("name", [name for name in EXAMPLES if "to" in CATALOG.types[name[:-2]].names])
def test_c1_whatever_asks_for_an_answer_names_whom_it_asks(doors: Doors, name: str) -> None:
    """Questions, clues, requests and transfers are refused alike where they go to nobody."""
    event = {**EXAMPLES[name], "subject": CHAIN}
    event["data"] = {**event["data"], "envelope": {**event["data"]["envelope"], "to": []}}
    assert _answer(doors, event) == [("bad-body", "/data/envelope/to")]


def test_c2_what_the_charges_mean_is_looked_at(doors: Doors) -> None:
    """Articles that no charge could match, suspects who are not listed or listed twice are all named."""
    suspect: dict[str, Any] = {"ref": "S1", "kind": "natural", "name": "姜某君", "role": None, "tokens": []}
    charged = [
        {"suspect": "S1", "article": "185-1(1)"},
        {"suspect": "S1", "article": "刑法第182条"},
        {"suspect": "S9", "article": "182"},
    ]
    event = door_event(subject=CHAIN, data={"suspects": [suspect, suspect], "charges": charged})
    assert _answer(doors, event) == [
        ("bad-body", "/data/suspects/1/ref"),
        ("bad-body", "/data/charges/1/article"),
        ("bad-body", "/data/charges/2/suspect"),
    ]


@pytest.mark.parametrize("article", ["182", "180(4)", "169-1", "185-1(1)"])
def test_c2_articles_of_the_law_are_taken(doors: Doors, article: str) -> None:
    """The four ways in which an article is written are fine."""
    data = {
        "suspects": [{"ref": "S1", "kind": "natural"}],
        "charges": [{"suspect": "S1", "article": article}],
    }
    assert _answer(doors, door_event(subject=CHAIN, data=data)) == []


@pytest.mark.parametrize(
    ("code", "article"), [("030456", "180(1)"), ("03042102", "182"), ("030999", "180(4)")]
)
def test_a_number_of_a_police_code_table_is_refused_with_its_article(
    doors: Doors, code: str, article: str
) -> None:
    """Police systems carry two code tables: a known number is answered with its article, another one not."""
    data = {"suspects": [{"ref": "S1", "kind": "natural"}], "charges": [{"suspect": "S1", "article": code}]}
    event = door_event(subject=CHAIN, data=data)
    assert _answer(doors, event) == [("bad-body", "/data/charges/0/article")]
    (refused,) = check([event], NOW, CATALOG).refused
    assert article in refused["detail"]
    assert article in refused["zh"]


def test_c2_a_correction_may_charge_whom_the_corrected_event_lists(doors: Doors) -> None:
    """A correction of charges alone needs no list of suspects; one that lists some charges these."""
    data = {"reasons": "示例", "charges": [{"suspect": "S1", "article": "182"}]}
    event = door_event(type="referral.corrected", subject=CHAIN, envelope={"corrects": "ab" * 32}, data=data)
    assert _answer(doors, event) == []
    event["data"]["suspects"] = [{"ref": "S2", "kind": "natural"}]
    assert _answer(doors, event) == [("bad-body", "/data/charges/0/suspect")]


@pytest.mark.parametrize(
    ("type", "pointer"),
    [("referral.corrected", "/data/envelope/corrects"), ("referral.withdrawn", "/data/envelope/withdraws")],
)
def test_c3_a_correction_names_what_it_corrects(doors: Doors, type: str, pointer: str) -> None:
    """A correction or withdrawal of nothing is refused by all three; one of a digest is taken."""
    event = door_event(type=type, subject=CHAIN, data={"reasons": "示例"})
    assert _answer(doors, event) == [("bad-body", pointer)]
    event["data"]["envelope"]["withdraws"] = "ab" * 32
    assert _answer(doors, event) == []


def test_c10_all_that_is_wrong_is_named(doors: Doors) -> None:
    """Three mistakes in one event are three answers, each with its place, from the check and at the door."""
    event = door_event(
        subject=CHAIN,
        source="/mps/office",
        envelope={"to": ["customs"], "handling": "S", "message_no": RESIDENT_ID},
    )
    places = [(one["code"], one["pointer"]) for one in check([event], NOW, CATALOG).refused]
    assert places == [
        ("level-s", "/data/envelope/handling"),
        ("personal-data", "/data/envelope/message_no"),
        ("bad-body", "/data/envelope/to/0"),
        ("not-authorised", "/type"),
    ]
    assert [one.pointer for one in doors.problems(event, "mps")] == [pointer for _, pointer in places]


def test_an_event_of_no_chain_is_refused(doors: Doors) -> None:
    """Without chain id, answered event and local reference there is no case that it could belong to."""
    event = door_event(envelope={"local_refs": []})
    assert [one["pointer"] for one in check([event], NOW, CATALOG).refused] == ["/subject"]
    assert [one.pointer for one in doors.problems(event, "csrc")] == ["/subject"]


def test_c10_mistakes_of_form_are_all_named() -> None:
    """Missing, unknown and misshapen members of one event are named together, however deep they stand."""
    event = door_event(subject="x", time="yesterday", envelope={"handlin": "H1", "to": [1, "mps", None]})
    del event["data"]["envelope"]["precision"]
    event["colour"] = "red"
    assert {one.pointer for one in _problems(event)} == {
        *("/colour", "/subject", "/time", "/data/envelope/handlin"),
        *("/data/envelope/to/0", "/data/envelope/to/2", "/data/envelope/precision"),
    }


def test_the_largest_event_of_the_door_is_admitted(doors: Doors) -> None:
    """The limit of size leaves room for key and headers: what just fits at the door fits on the bus."""
    event = door_event(subject=CHAIN)
    texts = event["data"]["earlier_penalties"] = ["罚" * MOST_CHARS] * 85 + ["x" * MOST_CHARS] * 2
    parsed = parse_event(event, CATALOG)
    room = MAX_VALUE_BYTES - len(encode(CATALOG.latest(parsed.type), parsed.data)) - 2
    assert 0 < room < MOST_CHARS
    texts.append("x" * room)
    assert _agree(doors, event) == (True, None)
    texts[-1] += "x"
    assert [one["code"] for one in check([event], NOW, CATALOG).refused] == ["too-large"]
    assert [one.pointer for one in doors.problems(event, "csrc")] == ["/data"]
    with pytest.raises(UsageError):
        encode(CATALOG.latest(parsed.type), parse_event(event, CATALOG).data)


def _parsed(event: object) -> DoorEvent | tuple[DoorProblem, ...]:
    try:
        return parse_event(event, CATALOG)
    except DoorProblem as problem:
        return problem.every


def _problems(event: object) -> tuple[DoorProblem, ...]:
    found = _parsed(event)
    assert not isinstance(found, DoorEvent)
    return found
