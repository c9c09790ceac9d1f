"""Settings of topics as a cluster has them, compared with what is wanted, and set."""

from collections.abc import Mapping, Sequence
from typing import Any

from kafka.admin import ConfigResource

from casebus_schemas.catalogue import topology
from casebus_schemas.catalogue.topology import TopicSpec

from .change_refused import ChangeRefused

Differing = dict[str, dict[str, tuple[str | None, str | None]]]
"""For each topic or group the settings that differ: (found, wanted); wanted None = back to the default."""

_IN_SYNC = "min.insync.replicas"
_DYNAMIC_TOPIC = "DYNAMIC_TOPIC_CONFIG"


def differing_configs(admin: Any, known: Sequence[TopicSpec], replicas: Mapping[str, int]) -> Differing:
    """What differs of topics that are there; `replicas` says how many each has."""
    if not known:
        return {}
    answer = admin.describe_configs(
        [ConfigResource("TOPIC", spec.name) for spec in known], config_filter="all"
    )
    differing: Differing = {}
    for spec in known:
        found = answer["topic"][spec.name]
        wanted = dict(spec.config)
        wanted[_IN_SYNC] = _in_sync(found, replicas[spec.name])
        wrong: dict[str, tuple[str | None, str | None]] = {
            key: (found[key]["value"] if key in found else None, value)
            for key, value in wanted.items()
            if key not in found or found[key]["value"] != value
        }
        wrong |= {
            key: (entry["value"], None)
            for key, entry in found.items()
            if entry["config_source"] == _DYNAMIC_TOPIC and key not in wanted
        }
        if wrong:
            differing[spec.name] = wrong
    return differing


def _in_sync(found: Mapping[str, Any], replicas: int) -> str:
    """How many replicas must have a record: by those that the topic has, and never fewer than it asks now.

    More than there are would stop every write, fewer than asked would lose what was promised.
    """
    wanted = int(topology.in_sync_replicas(replicas))
    now = int(found[_IN_SYNC]["value"]) if _IN_SYNC in found else 0
    return str(now if wanted < now <= replicas else wanted)


def set_configs(
    admin: Any, differing: Mapping[str, Mapping[str, tuple[str | None, str | None]]], kind: str = "TOPIC"
) -> None:
    """Sets them on resources of a kind. Raises ChangeRefused if the cluster does not take one."""
    answer = admin.alter_configs(
        [
            ConfigResource(
                kind,
                name,
                {
                    key: ("DELETE", None) if value is None else ("SET", value)
                    for key, (_, value) in keys.items()
                },
            )
            for name, keys in differing.items()
        ]
    )
    failed = {name: result for name, result in answer.get(kind.lower(), {}).items() if result != "OK"}
    if failed:
        name, result = next(iter(failed.items()))
        raise ChangeRefused(f"the configuration of {name} was refused", found=result, expected="OK")
