"""One time: milliseconds inside, text at the edge, and what a person may write."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas import times
from casebus_schemas.errors import UsageError

TIMES = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))


@given(TIMES)
def test_a_moment_comes_back_from_its_text(time: datetime) -> None:
    """Milliseconds, datetime and UTC text give each other back; what is finer is cut off."""
    moment = times.to_moment(time)
    assert times.parse_utc_text(times.utc_text(moment)) == moment
    assert timedelta(0) <= time - times.to_datetime(moment) < times.MILLISECOND


@pytest.mark.parametrize(
    "text", ["2016-10-18", "2016-10-18T09:00:00", "2016-10-18T09:00:00.1234567890Z", "", "now"]
)
def test_other_text_is_no_time_of_the_wire(text: str) -> None:
    """A time on the wire has its offset and a fraction of at most nine digits."""
    with pytest.raises(ValueError):
        times.parse_utc_text(text)


def test_the_last_hours_of_all_time_have_a_text() -> None:
    """The greatest time that a record can carry breaks nothing."""
    last = datetime.max.replace(tzinfo=UTC)
    assert times.beijing_text(last).startswith("9999-12-31T23:59:59")
    assert times.utc_text(times.to_moment(last)) == "9999-12-31T23:59:59.999Z"


@pytest.mark.parametrize("text", ["2022-09-29", "2022/09/29", " 2022-09-29 "])
def test_a_day_alone_is_what_the_question_makes_of_it(text: str) -> None:
    """From a day: its beginning in Beijing; up to a day: its end; until a day: its last instant."""
    begins = datetime.fromisoformat("2022-09-29T00:00:00+08:00")
    ends = datetime.fromisoformat("2022-09-30T00:00:00+08:00")
    assert times.read_time(text) == begins
    assert times.read_end(text) == ends
    assert times.last_instant(text) == ends - times.MILLISECOND
    assert times.read_day_or_time(text) == date(2022, 9, 29)


def test_a_time_without_offset_is_of_beijing() -> None:
    """A person's time without an offset is Beijing time; one with an offset keeps it."""
    at = datetime.fromisoformat("2022-09-29T10:20:00+08:00")
    for read in (times.read_time, times.read_end, times.last_instant, times.read_day_or_time):
        assert read("2022-09-29T10:20") == at
        assert read("2022-09-29T02:20:00Z") == at


@pytest.mark.parametrize("text", ["", "yesterday", "2022-13-01", "2022-09-29T25:00", "12"])
def test_what_is_no_time_is_said_with_an_example(text: str) -> None:
    """Every reader refuses other text, and says what it expects."""
    readers = (times.read_time, times.read_end, times.last_instant, times.read_day_or_time, times.read_day)
    for read in (*readers, times.read_exact_time):
        with pytest.raises(UsageError) as raised:
            read(text)
        assert raised.value.expected


def test_a_record_needs_its_offset_and_the_last_day_has_no_end() -> None:
    """What becomes a record is never guessed, and 24:00 of the last day is an error, not a crash."""
    with pytest.raises(UsageError, match="offset"):
        times.read_exact_time("2022-09-29T10:20:00")
    with pytest.raises(UsageError, match="so late"):
        times.read_end("9999-12-31")
