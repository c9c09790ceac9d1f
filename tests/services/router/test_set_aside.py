"""A record at which the router's own code fails is set aside: refused, kept, driven again."""

from collections.abc import Callable
from typing import Any

import pytest

from casebus_schemas.admission.verdict import Origin
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater, StopService
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_services.router import agent, judgement, outputs
from support.events.signed_events import Speaker, chain, envelope, stored
from support.router.router_bench import RouterBench

CATALOG = Catalog.load()
CSRC, BUS = Speaker("csrc"), Speaker("bus")
RESIDENT_ID = "990000" + "19900101" + "001" + "7"  # of the unassigned test division, can be nobody


class Fault(Exception):
    """What nobody foresaw."""


def _three(**changes: Any) -> list[Record]:
    return [stored(CSRC.refer(1, **changes), 40 + number) for number in range(3)]


def _failing(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, fails: Callable[..., bool]) -> None:
    real = getattr(where, name)

    def failing(*arguments: Any, **named: Any) -> Any:
        if fails(*arguments):
            raise Fault(f"a fault that quotes {RESIDENT_ID}")
        return real(*arguments, **named)

    monkeypatch.setattr(where, name, failing)


FAULTS: dict[str, tuple[Any, str, Callable[..., bool]]] = {
    "examined": (agent, "examine", lambda record, *_: record.offset == 41),
    "concluded": (agent, "conclude", lambda one, *_: one.record.offset == 41 and one.before is None),
    "answered": (agent, "notices", lambda one, _: one.record.offset == 41),
    "its receipt": (agent, "receipt_of", lambda one, *_: one.admitted and one.record.offset == 41),
}


@pytest.mark.parametrize("where", FAULTS)
def test_a10_a_record_at_which_our_code_fails_is_set_aside(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Whatever fails for one record, it alone is set aside; the others are admitted, in one stream."""
    bench = RouterBench(CSRC, BUS)
    _failing(monkeypatch, *FAULTS[where])
    found = bench.handle(*_three())
    assert [one.code for one in found] == [None, "set-aside", None]
    assert bench.numbers() == [1, 2, 3]
    assert bench.router.set_aside == 1
    (letter,) = [one for one in bench.outputs if one.topic == "dead-letter.csrc"]
    assert dict(letter.headers)["casebus-error-code"] == b"set-aside"
    receipts = [one for one in bench.outputs if one.topic == "receipt.csrc"]
    data = [decode(CATALOG, one.value)[1] for one in receipts]
    assert [one.get("code") for one in data] == [None, "set-aside", None]
    detail = found[1].detail or ""
    assert "driven again after a mend" in detail
    assert RESIDENT_ID not in detail


@pytest.mark.parametrize("instead", [{"value": bytes(2 << 20)}, {"headers": (("x", "text"),)}])
def test_a10_a_record_of_which_nothing_can_be_sent_is_set_aside(
    monkeypatch: pytest.MonkeyPatch, instead: dict[str, Any]
) -> None:
    """What the producer would refuse for ever does not come to it: the others go on, in one stream."""
    bench, real = RouterBench(CSRC, BUS), outputs.notices

    def impossible(one: Any, admission: Any) -> Any:
        found = list(real(one, admission))
        return [n._replace(**instead) for n in found] if one.record.offset == 41 else found

    monkeypatch.setattr(agent, "notices", impossible)
    assert [one.code for one in bench.handle(*_three())] == [None, "set-aside", None]
    assert bench.numbers() == [1, 2, 3]


def test_a10_a_signature_check_that_fails_sets_its_record_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault within the check of one signature concerns its record alone."""
    bench, records = RouterBench(CSRC, BUS), _three()
    second = EventHeaders.parse(records[1].headers).id.bytes
    _failing(monkeypatch, judgement, "verify", lambda _block, message, _key: second in message)
    assert [one.code for one in bench.handle(*records)] == [None, "set-aside", None]


def test_a10_what_is_set_aside_is_kept_and_driven_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes stand in the dead letters, and after the mend the operator's command admits the original."""
    bench, (record, *_) = RouterBench(CSRC, BUS), _three()
    with monkeypatch.context() as faulty:
        _failing(faulty, agent, "examine", lambda record, *_: record.topic == "csrc.referral")
        (found,) = bench.handle(record)
        (letter,) = [one for one in bench.outputs if one.topic == "dead-letter.csrc"]
    assert (found.code, letter.value, letter.headers[:12]) == ("set-aside", record.value, record.headers)
    bench.original = record
    origin = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    data = {"envelope": envelope(to=[]), "origin": origin, "attempt": 2, "reasons": "mended"}
    command = stored(BUS.say("dead_letter.redrive_requested", data, chain(1)))
    (again,) = bench.handle(command)
    place = Origin(record.topic, record.partition, record.offset)
    assert (again.verdict, again.attempt, again.origin) == ("admitted", 2, place)


def test_a10_a_command_at_which_our_code_fails_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that cannot be carried out is answered by an admission that says so; the next is tried."""
    bench = RouterBench(CSRC, BUS)
    _failing(monkeypatch, agent, "command_of", lambda record, *_: record.offset == 7)
    data = {"envelope": envelope(to=[]), "now": envelope()["occurred_at"], "rate": 1.0}
    commands = [stored(BUS.say("clock.set", data, chain(1)), offset) for offset in (7, 8)]
    assert [one.code for one in bench.handle(*commands)] == ["set-aside", "not-authorised"]


def test_a10_personal_data_outrank_the_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record at which our code fails is not kept where it holds, or may hold, what must not be repeated."""
    bench = RouterBench(CSRC, BUS)
    _failing(monkeypatch, agent, "examine", lambda *_: True)
    (found,) = bench.handle(_three(message_no=f"号{RESIDENT_ID}")[0])
    assert found.code == "personal-data"
    _failing(monkeypatch, judgement, "_secret", lambda *_: True)
    (found,) = bench.handle(_three()[0])
    assert (found.code, found.original is not None) == ("set-aside", True)
    assert [one.value for one in bench.outputs if one.topic == "dead-letter.csrc"] == [None]


@pytest.mark.parametrize("error", [RetryLater("the broker is away"), StopService("evidence is at risk")])
def test_a10_only_what_concerns_the_bus_ends_it(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A broker that is away and evidence at risk are no fault of a record and pass."""
    bench = RouterBench(CSRC, BUS)

    def failing(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(agent, "examine", failing)
    with pytest.raises(type(error)):
        bench.handle(*_three())
    assert bench.outputs == []


def test_a10_the_bench_admits_without_a_fault() -> None:
    """Without a fault all three are admitted: the faults above are what sets records aside."""
    bench = RouterBench(CSRC, BUS)
    assert [one.code for one in bench.handle(*_three())] == [None, None, None]
