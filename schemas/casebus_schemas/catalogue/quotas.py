"""How much each login may ask of a broker, from quotas.yaml."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from casebus_schemas.agencies import Members
from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import entries, known_keys, read_yaml

from .topology import AUDITOR, OPERATOR

KEYS = ("producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate")
"""Kafka's own words for a quota of a user."""

_FILE = "quotas.yaml"


@cache
def quotas(members: Members | None = None) -> Mapping[str, Mapping[str, int]]:
    """For each login that has a limit its limits by Kafka's word; `members` are those of this package."""
    source = (files("casebus_schemas") / _FILE).read_text(encoding="utf-8")
    return read_quotas(_FILE, source, members or Members.load())


def read_quotas(where: str, source: str, members: Members) -> Mapping[str, Mapping[str, int]]:
    """The limits in a file. Raises UsageError for a login, word or figure that cannot be."""
    found: dict[str, Mapping[str, int]] = {}
    for who, limits in entries(where, read_yaml(where, source)):
        known_keys(f"{where}: {who}", limits, required=KEYS)
        for key, value in limits.items():
            if type(value) is not int or value <= 0:
                raise UsageError(f"{where}: {who}: {key}", found=repr(value)[:50], expected="a whole number")
        for login in _logins(where, who, members):
            found[login] = MappingProxyType(dict(limits))
    return MappingProxyType(found)


def _logins(where: str, who: Any, members: Members) -> tuple[str, ...]:
    if who in (*members.all, AUDITOR, OPERATOR):
        return (who,)
    try:
        return members.agencies_with(who)
    except UsageError as error:
        raise UsageError(
            f"{where}: who is limited", found=repr(who)[:50], expected="a role, an agency, auditor, operator"
        ) from error
