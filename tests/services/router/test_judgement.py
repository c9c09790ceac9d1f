"""The judgement: what is admitted, who is told, and each refusal with its code."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import REFUSAL_CODES
from casebus_schemas.wire.headers import fields_of
from casebus_schemas.wire.ids import notice_id
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey
from casebus_services.router.judgement import Judgement, judge
from support.events.signed_events import Speaker, chain, envelope, keyring_of, referral, seed_of, stored

CATALOG = Catalog.load()
CSRC, MPS, BUS = Speaker("csrc"), Speaker("mps"), Speaker("bus")
KEYRING = keyring_of(CSRC, MPS, Speaker("spp"), Speaker("court"), BUS)
NOW_MS = 1_480_000_000_000
RESIDENT_ID = "990000" + "19900101" + "001" + "7"  # of the unassigned test division, can be nobody


def _judge(record: Record) -> Judgement:
    return judge(record, CATALOG, KEYRING, 4, NOW_MS)


def _good() -> Record:
    return stored(CSRC.refer(1, cc=["spp/office"]), 41)


def _with_header(record: Record, name: str, value: bytes | None) -> Record:
    return record._replace(headers=tuple((n, value if n == name else v) for n, v in record.headers))


def _without_header(record: Record, name: str) -> Record:
    return record._replace(headers=tuple((n, v) for n, v in record.headers if n != name))


def _say(type: str, data: dict[str, Any], speaker: Speaker = CSRC, **more: Any) -> Record:
    return stored(speaker.say(type, data, chain(2), **more))


def test_lawful_event_is_admitted() -> None:
    """A lawful event is admitted under its digest, and each recipient is told once in the strongest role."""
    composed = CSRC.refer(1, to=["mps/base-qingdao", "mps"], cc=["mps", "spp", "csrc"])
    found = _judge(stored(composed))
    assert (found.verdict, found.code, found.digest) == ("admitted", None, composed.digest)
    assert [(r.agency, r.role, r.notice) for r in found.recipients] == [
        ("mps", "to", notice_id(fields_of(composed.record), "mps")),
        ("spp", "cc", notice_id(fields_of(composed.record), "spp")),
    ]


def test_law_names_recipients() -> None:
    """An agency that the law names hears of an event that was not addressed to it."""
    assert [(r.agency, r.role) for r in _judge(stored(CSRC.refer(1))).recipients] == [
        ("mps", "to"),
        ("spp", "by-law"),
    ]


def test_sender_is_not_told_of_its_own_event() -> None:
    """Neither its own name among the addressees nor the law makes the sender a recipient."""
    judged = _judge(stored(CSRC.refer(1, to=["csrc", "bus", "mps"], cc=["csrc/office"])))
    assert [recipient.agency for recipient in judged.recipients] == ["mps", "spp"]


def test_replay_in_place_is_judged_alike() -> None:
    """The same event at a later offset of its partition has the same digest and the same notice ids."""
    composed = CSRC.refer(1)
    first, again = _judge(stored(composed, 3)), _judge(stored(composed, 9))
    assert (first.digest, first.recipients) == (again.digest, again.recipients)


UNKNOWN = SigningKey(seed_of("nobody"))
REFUSED: dict[str, tuple[str, Callable[[], Record]]] = {
    "null value": ("bad-frame", lambda: _good()._replace(value=None)),
    "empty value": ("bad-frame", lambda: _good()._replace(value=b"")),
    "other magic byte": ("bad-frame", lambda: _good()._replace(value=b"\1" + (_good().value or b"")[1:])),
    "unknown schema id": ("unknown-schema", lambda: _good()._replace(value=b"\0\xff\xff\xff\xff")),
    "truncated body": ("bad-body", lambda: _good()._replace(value=(_good().value or b"")[:-3])),
    "bytes left over": ("bad-body", lambda: _good()._replace(value=(_good().value or b"") + b"\0")),
    "huge length": (
        "bad-body",
        lambda: _good()._replace(value=(_good().value or b"")[:6] + b"\xff" * 9 + b"\1"),
    ),
    "unknown addressee": ("bad-body", lambda: stored(CSRC.refer(1, to=["fbi"]))),
    "no headers": ("bad-headers", lambda: _good()._replace(headers=())),
    "missing header": ("bad-headers", lambda: _without_header(_good(), "ce_id")),
    "null header": ("bad-headers", lambda: _with_header(_good(), "casebus-sig", None)),
    "header twice": ("bad-headers", lambda: _good()._replace(headers=_good().headers + _good().headers[:1])),
    "smuggled header": (
        "bad-headers",
        lambda: _good()._replace(headers=(*_good().headers, ("casebus-admission", b"{}"))),
    ),
    "type lies": ("header-mismatch", lambda: _with_header(_good(), "ce_type", b"referral.withdrawn")),
    "time lies": ("header-mismatch", lambda: _with_header(_good(), "ce_time", b"2016-10-19T00:00:00Z")),
    "schema lies": (
        "header-mismatch",
        lambda: _with_header(_good(), "ce_dataschema", b"sha256:" + b"0" * 64),
    ),
    "null key": ("misplaced", lambda: _good()._replace(key=None)),
    "other key": ("misplaced", lambda: _good()._replace(key=chain(9).encode())),
    "subject lies": ("misplaced", lambda: _with_header(_good(), "ce_subject", chain(9).encode())),
    "other partition": ("misplaced", lambda: _good()._replace(partition=(_good().partition + 1) % 4)),
    "other channel": ("misplaced", lambda: _good()._replace(topic="csrc.clue")),
    "foreign topic": ("misplaced", lambda: _good()._replace(topic="csrc.secrets")),
    "too large": (
        "too-large",
        lambda: _good()._replace(value=(_good().value or b"") + bytes((1 << 20) - len(_good().value or b""))),
    ),
    "unknown key": ("unknown-key", lambda: _say("referral.submitted", referral(), key=UNKNOWN)),
    "another agency's key": ("unknown-key", lambda: _say("referral.submitted", referral(), key=MPS.key)),
    "replayed by another agency": ("unknown-key", lambda: _good()._replace(topic="mps.referral")),
    "unit lies": ("bad-signature", lambda: _with_header(_good(), "ce_source", b"/csrc/shenzhen-office")),
    "agency lies": ("bad-signature", lambda: _with_header(_good(), "ce_source", b"/spp/office")),
    "number lies": ("bad-signature", lambda: _with_header(_good(), "casebus-seq", b"77")),
    "value lies": (
        "bad-signature",
        lambda: _good()._replace(value=(_good().value or b"").replace(b"180(4)", b"182(4)")),
    ),
    "signed for another agency": (
        "not-authorised",
        lambda: _say("referral.submitted", referral(), source="/spp/office"),
    ),
    "not for this agency to say": (
        "not-authorised",
        lambda: _say("referral.submitted", referral(), MPS, topic_name="mps.referral"),
    ),
    "state secret": ("level-s", lambda: stored(CSRC.refer(1, handling="S"))),
    "resident id": ("personal-data", lambda: stored(CSRC.refer(1, message_no=f"身份证号{RESIDENT_ID}。"))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_have_their_code(name: str) -> None:
    """Each thing that may be wrong with a record has its own code and an explanation."""
    code, make = REFUSED[name]
    found = _judge(make())
    assert (found.verdict, found.code, found.recipients) == ("refused", code, ())
    assert found.detail


def test_every_code_is_tested() -> None:
    """The table above leaves no refusal code out; `set-aside` is none that a judgement comes to."""
    assert {code for code, _ in REFUSED.values()} == {*REFUSAL_CODES} - {"set-aside"}


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda record: record._replace(key=None),
        lambda record: _with_header(record, "casebus-seq", b"77"),
        lambda record: _without_header(record, "ce_id"),
    ],
)
def test_secrets_outrank_every_other_refusal(spoilt: Callable[[Record], Record]) -> None:
    """A record that holds a state secret or a resident id is never kept under another code."""
    for changes, code in (({"handling": "S"}, "level-s"), ({"message_no": RESIDENT_ID}, "personal-data")):
        found = _judge(spoilt(stored(CSRC.refer(1, **changes))))
        assert (found.code, found.kept) == (code, False)
        assert RESIDENT_ID not in (found.detail or "")


@pytest.mark.parametrize(
    "record",
    [
        _good()._replace(value=b"rubbish " + RESIDENT_ID.encode()),
        _good()._replace(key=RESIDENT_ID.encode()),
        _good()._replace(headers=(*_good().headers, ("note", RESIDENT_ID.encode()))),
        _good()._replace(headers=(*_good().headers, (RESIDENT_ID, b""))),
    ],
)
def test_resident_id_is_found_wherever_it_stands(record: Record) -> None:
    """A resident id in an undecodable value, a key or a header keeps a record from being repeated."""
    assert (_judge(record).code, _judge(record).kept) == ("personal-data", False)


def test_record_beyond_what_the_bus_can_store_is_not_repeated() -> None:
    """A record blown up by decompression beyond the bus's own topics is refused by digests alone."""
    found = _judge(_good()._replace(value=bytes(5 << 20)))
    assert (found.code, found.kept) == ("too-large", False)


def test_court_speaks_on_its_own_channels() -> None:
    """A guest's event is judged by the same rules as an agency's."""
    court = Speaker("court")
    data = {"envelope": envelope(to=["spp"]), "deliveries": []}
    found = _judge(stored(court.say("receipt.delivered", data, chain(3))))
    assert (found.verdict, [r.agency for r in found.recipients]) == ("admitted", ["spp"])


def test_keys_are_believed_at_the_place_in_time_of_the_record() -> None:
    """What was appended before its key was revoked is admitted however late it is judged."""
    assert CSRC.key is not None
    keyring = KEYRING.apply(stored(CSRC.end("key.revoked", CSRC.key), 9, timestamp_ms=2_000))
    early, late = (stored(CSRC.refer(1), 5, timestamp_ms=at) for at in (1_999, 2_000))
    assert judge(early, CATALOG, keyring, 4, NOW_MS).code is None
    assert judge(late, CATALOG, keyring, 4, NOW_MS).code == "unknown-key"


def test_event_of_the_bus_is_delivered_to_those_it_names() -> None:
    """An obligation that the bus announces is judged by the bus's own keys and goes to its addressees."""
    assert partition_of(chain(1).encode(), 4) in range(4)
    data = {
        "envelope": envelope(to=["mps"], cc=["csrc"]),
        "obligations": [
            {
                "id": UUID(chain(5)),
                "rule": "DL06",
                "chain": UUID(chain(1)),
                "owed_by": "mps",
                "owed_to": ["csrc"],
                "duty": ["referral.filed"],
                "cause": bytes(32),
                "started_at": envelope()["occurred_at"],
                "due_earliest": envelope()["occurred_at"],
                "due_latest": envelope()["occurred_at"],
                "state": "open",
            }
        ],
    }
    found = _judge(stored(BUS.say("obligation.announced", data, chain(1))))
    assert [(r.agency, r.role) for r in found.recipients] == [("mps", "to"), ("csrc", "cc")], found.detail
