"""The operator's orders to one reconciler, and nobody else's."""

from uuid import UUID

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey, event_digest
from casebus_services.reconciler.orders import Orders
from support.cases.chains import at
from support.events.notices import notice
from support.events.signed_events import Speaker, chain, envelope, keyring_of, seed_of, stored

CATALOG = Catalog.load()


def _order(speaker: Speaker, number: int, offset: int) -> Record:
    data = {"envelope": envelope(to=[]), "chain": UUID(chain(number))}
    said = speaker.say("chain.recomputation_requested", data, chain(9), topic_name="bus.command")
    return stored(said)._replace(offset=offset)


def test_orders_of_the_operator_count_once() -> None:
    """The last order of each chain is given once; agencies, keys of nobody and junk order nothing."""
    operator, csrc = Speaker("bus"), Speaker("csrc")
    orders = Orders(CATALOG, lambda: keyring_of(operator, csrc), lambda: None)
    stranger = Speaker("bus", key=csrc.key)
    junk = _order(operator, 5, 4)._replace(value=b"\0")
    orders.note([_order(operator, 1, 0), _order(operator, 1, 1), _order(operator, 2, 2)])
    orders.note([_order(stranger, 3, 3), junk])
    assert orders.chains() == {chain(1): 1, chain(2): 2}
    assert orders.chains() == {}


def test_an_order_waits_for_keys_that_cannot_be_read_just_now() -> None:
    """It is not lost while the broker is away, and obeyed once its key is known."""
    operator = Speaker("bus")
    known: list[Keyring] = [keyring_of()]
    away = [True]

    def read_keys() -> None:
        if away[0]:
            raise RetryLater("away")
        known[0] = keyring_of(operator)

    orders = Orders(CATALOG, lambda: known[0], read_keys)
    orders.note([_order(operator, 1, 0)])
    assert orders.chains() == {}
    away[0] = False
    assert orders.chains() == {chain(1): 0}


def test_b2_only_the_operator_has_a_forged_admission_stepped_over() -> None:
    """The order names place and leaf; one of an agency, or about another topic, orders nothing."""
    operator, csrc = Speaker("bus"), Speaker("csrc")
    orders = Orders(CATALOG, lambda: keyring_of(operator, csrc), lambda: None)
    stranger = Speaker("bus", key=csrc.key)
    orders.note(step_over(who, "bus.admission", offset) for who, offset in ((operator, 5), (stranger, 6)))
    orders.note([step_over(operator, "csrc.referral", 7)])
    key_id = SigningKey(seed_of("bus")).key_id
    again = step_over(operator, "bus.admission", 5)._replace(offset=1)
    orders.note([again])
    ((named, order),) = orders.stepped_over().items()
    assert named == (3, 5, b"\7" * 32)
    assert (order.place, order.source, order.key_id) == ("bus.command/0/0", "/bus/office", key_id)
    assert orders.chains() == {}


def test_only_the_operator_enters_notices_on_holidays() -> None:
    """An order counts once, in the form of a notice; one of an agency, or from no midnight, does not."""
    operator, csrc = Speaker("bus"), Speaker("csrc")
    orders = Orders(CATALOG, lambda: keyring_of(operator, csrc), lambda: None)
    good = _notice(operator, "2026-11-30T00:00")
    orders.note([good, good, _notice(Speaker("bus", key=csrc.key), "2026-12-01T00:00")])
    orders.note([_notice(operator, "2026-11-30T12:00"), _notice(operator, "2026-11-30T00:00", kind="maybe")])
    (entered,) = orders.notices()
    assert (entered.in_force_from, entered.notice) == (at("2026-11-30T00:00"), notice())
    headers = EventHeaders.parse(good.headers)
    fields = headers.signed_fields(good.topic, good.partition, good.value or b"")
    assert entered.order == event_digest(fields)
    assert orders.notices() == (entered,)


def _notice(speaker: Speaker, when: str, kind: str | None = None) -> Record:
    said = notice()
    data = {
        "envelope": envelope(to=[]),
        "year": said.year,
        "number": said.number,
        "title": said.title,
        "known_since": said.known_since,
        "source": said.source,
        "days": [{"day": moved.day, "kind": kind or moved.kind} for moved in said.days],
        "in_force_from": at(when),
    }
    return stored(speaker.say("holidays.notice_entered", data, chain(9), topic_name="bus.command"))


def step_over(speaker: Speaker, topic: str, offset: int) -> Record:
    """An order to step over what stands at an offset of partition 3."""
    data = {
        "envelope": envelope(to=[]),
        "origin": {"topic": topic, "partition": 3, "offset": offset},
        "leaf": b"\7" * 32,
        "reasons": "test",
    }
    return stored(speaker.say("admission.step_over_ordered", data, chain(9), topic_name="bus.command"))
