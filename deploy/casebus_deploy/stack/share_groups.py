"""Where share groups begin: at the beginning, since Kafka's default skips what waits in an inbox."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from kafka.admin import ConfigResource
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    IncompatibleBrokerVersion,
    InvalidRequestError,
    UnsupportedVersionError,
)

from .topic_settings import Differing

_LOADING_S = 30.0
_WANTED = {"share.auto.offset.reset": "earliest", "share.isolation.level": "read_committed"}
_NOT_KNOWN = (IncompatibleBrokerVersion, UnsupportedVersionError, InvalidRequestError)
"""What a cluster before Kafka 4 answers, which has no settings of groups and no share groups."""


def differing_groups(admin: Any, members: Iterable[str]) -> Differing:
    """For each share group of the members what differs: `<member>.inbox`, and those that are there already.

    Kafka keeps these settings by the name of a group, also before it is there, and has none for all groups.
    """
    prefixes = tuple(f"{member}." for member in members)
    names = {f"{prefix}inbox" for prefix in prefixes}
    try:
        there = _share_groups(admin)
        names |= {name for name in there if name.startswith(prefixes)}
        answer = admin.describe_configs(
            [ConfigResource("GROUP", name) for name in sorted(names)], config_filter="all"
        )
    except _NOT_KNOWN:
        return {}
    return {name: wrong for name, found in answer.get("group", {}).items() if (wrong := _wrong(found))}


def _share_groups(admin: Any) -> set[str]:
    """Those that are there; a broker that has just started must read its groups first."""
    deadline = time.monotonic() + _LOADING_S
    while True:
        try:
            return {group["group_id"] for group in admin.list_groups(types_filter=["share"])}
        except (CoordinatorLoadInProgressError, CoordinatorNotAvailableError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _wrong(found: Mapping[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    return {
        key: (found[key]["value"], value)
        for key, value in _WANTED.items()
        if key in found and found[key]["value"] != value
    }
