"""Quotas of users as a cluster has them, compared with what is wanted, and set."""

from collections.abc import Iterable, Mapping
from typing import Any

from kafka.errors import for_code
from kafka.protocol.admin import AlterClientQuotasRequest, DescribeClientQuotasRequest

from .change_refused import ChangeRefused

Quotas = Mapping[str, Mapping[str, float]]
Differing = dict[str, dict[str, tuple[float | None, float | None]]]
"""For each user the limits that differ: (found, wanted); wanted None = no limit."""

_USER = "user"
_ANY_NAMED = 2


def described_quotas(admin: Any) -> dict[str, dict[str, float]]:
    """Every quota that the cluster has for a user by itself.

    Raises KafkaError if the administrator may not describe the cluster's configuration.
    """
    answer = _ask(admin, DescribeClientQuotasRequest(components=[(_USER, _ANY_NAMED, None)], strict=True))
    if answer.error_code:
        raise for_code(answer.error_code)(answer.error_message)
    return {
        entry.entity[0].entity_name: {value.key: value.value for value in entry.values}
        for entry in answer.entries or ()
    }


def differing_quotas(found: Quotas, wanted: Quotas, users: Iterable[str]) -> Differing:
    """What differs for these users; who has no entry in `wanted` should have no quota."""
    differing: Differing = {}
    for user in users:
        have, want = found.get(user, {}), wanted.get(user, {})
        wrong = {
            key: (have.get(key), want.get(key))
            for key in (*want, *(key for key in have if key not in want))
            if have.get(key) != want.get(key)
        }
        if wrong:
            differing[user] = wrong
    return differing


def set_quotas(admin: Any, differing: Differing) -> None:
    """Sets them. Raises ChangeRefused if the cluster does not take one."""
    entries = [
        ([(_USER, user)], [(key, wanted or 0.0, wanted is None) for key, (_, wanted) in keys.items()])
        for user, keys in differing.items()
    ]
    answer = _ask(admin, AlterClientQuotasRequest(entries=entries, validate_only=False))
    for entry in answer.entries:
        if entry.error_code:
            raise ChangeRefused(
                f"the quotas of {entry.entity[0].entity_name} were refused",
                found=f"{for_code(entry.error_code).__name__}: {entry.error_message}",
                expected="all of them taken",
                remedy="log in as a super user of the cluster",
            )


def _ask(admin: Any, request: Any) -> Any:
    # kafka-python knows these requests, but its administrator has no methods for them yet.
    return admin._manager.run(admin._manager.send, request)
