"""The simulated clock follows the operator's commands, and nobody else's."""

from datetime import UTC, datetime

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.records import Record
from casebus_services.clock import BusClock
from casebus_services.clock_commands import ClockCommands
from support.events.signed_events import Speaker, chain, envelope, keyring_of, stored

CATALOG = Catalog.load()
STORED_MS = 1_700_000_000_000


def _command(speaker: Speaker, year: int) -> Record:
    data = {"envelope": envelope(to=[]), "now": datetime(year, 1, 1, tzinfo=UTC), "rate": 0.0}
    return stored(speaker.say("clock.set", data, chain(1), topic_name="bus.command"), timestamp_ms=STORED_MS)


def _year(clock: BusClock) -> int:
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC).year


def test_the_last_command_counts() -> None:
    """A clock that is simulated stands where the last command of the operator puts it."""
    operator = Speaker("bus")
    clock = BusClock(simulated=True)
    following = ClockCommands(clock, CATALOG, lambda: keyring_of(operator))
    assert following.follow([_command(operator, 2016), _command(operator, 2019)])
    assert _year(clock) == 2019


def test_others_commands_are_passed_over() -> None:
    """What is signed by an agency, or by a key of nobody, moves no clock and stops no reading."""
    operator, csrc = Speaker("bus"), Speaker("csrc")
    clock = BusClock(simulated=True)
    following = ClockCommands(clock, CATALOG, lambda: keyring_of(operator, csrc))
    stranger = Speaker("bus", key=csrc.key)
    junk = _command(operator, 2019)._replace(value=b"\0")
    assert following.follow([_command(operator, 2016), _command(stranger, 2017), junk])
    assert _year(clock) == 2016
    assert not following.follow([_command(stranger, 2018), junk])


def test_a_key_announced_meanwhile_is_looked_up() -> None:
    """A command under a key that is not known yet is judged again after reading on in the key topics."""
    operator = Speaker("bus")
    clock = BusClock(simulated=True)
    known = [keyring_of()]
    following = ClockCommands(
        clock, CATALOG, lambda: known[0], lambda: known.__setitem__(0, keyring_of(operator))
    )
    assert following.follow([_command(operator, 2016)])
    assert _year(clock) == 2016


def test_a_real_clock_is_not_set() -> None:
    """A bus with real time keeps it, whatever is commanded."""
    operator = Speaker("bus")
    following = ClockCommands(BusClock(), CATALOG, lambda: keyring_of(operator))
    assert not following.follow([_command(operator, 2016)])
