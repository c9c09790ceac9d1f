"""Quotas: the file names who exists, and leaves room for what the bus promises."""

import pytest

from casebus_schemas.agencies import MEMBERS, Members
from casebus_schemas.catalogue.quotas import KEYS, quotas, read_quotas
from casebus_schemas.catalogue.topology import PRINCIPALS, SERVICES
from casebus_schemas.errors import UsageError

PROMISED_EVENTS_A_SECOND = 1_000
LARGE_EVENT = 8_000
GOOD = "{" + ", ".join(f"{key}: 1" for key in KEYS) + "}"


def test_a5_every_member_is_limited_and_no_service() -> None:
    """Each login but the services has all of the limits, and nobody else is named."""
    assert set(quotas()) == set(PRINCIPALS) - set(SERVICES)
    assert {tuple(limits) for limits in quotas().values()} == {KEYS}


@pytest.mark.parametrize("member", MEMBERS)
def test_a5_one_member_may_say_all_that_is_promised(member: str) -> None:
    """The limits let one member write, and read, the whole rate that the bus promises, in large events."""
    limits = quotas()[member]
    assert limits["producer_byte_rate"] >= PROMISED_EVENTS_A_SECOND * LARGE_EVENT
    assert limits["consumer_byte_rate"] >= 4 * limits["producer_byte_rate"]


def test_a5_the_later_entry_counts() -> None:
    """An entry for one agency replaces that of its role."""
    own = GOOD.replace("producer_byte_rate: 1", "producer_byte_rate: 9")
    found = read_quotas("file", f"member: {GOOD}\ncsrc: {own}", Members.load())
    assert (found["csrc"]["producer_byte_rate"], found["mps"]["producer_byte_rate"]) == (9, 1)


@pytest.mark.parametrize(
    "source",
    [
        f"nobody: {GOOD}",
        "member: {producer_byte_rate: 1}",
        f"member: {GOOD.replace(': 1}', ': 0}')}",
        f"member: {GOOD.replace(': 1}', ': 1.5}')}",
        f"member: {GOOD[:-1]}, surprise: 1}}",
    ],
)
def test_a5_what_cannot_be_is_refused(source: str) -> None:
    """Unknown logins and words, missing words and figures that limit nothing are errors of the file."""
    with pytest.raises(UsageError):
        read_quotas("file", source, Members.load())
