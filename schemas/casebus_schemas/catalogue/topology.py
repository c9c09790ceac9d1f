"""Which topics exist, who writes and reads each, and the access rules that follow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

import yaml

from casebus_schemas.agencies import MEMBERS

EMBEDDED_PARTITIONS = 4
PRODUCTION_PARTITIONS = 12
"""N: partitions of the channels, of admissions, findings and obligations; immutable once chosen."""

ADMISSION = "bus.admission"
FINDING = "bus.finding"
OBLIGATION = "bus.obligation"
COMMAND = "bus.command"

SERVICES: tuple[str, ...] = ("router", "ledger", "reconciler")
AUDITOR = "auditor"
OPERATOR = "operator"
PRINCIPALS: tuple[str, ...] = (*MEMBERS, *SERVICES, AUDITOR, OPERATOR)
"""Everybody who may log in to the broker, beside its own administrator."""

Operation = Literal["READ", "WRITE", "DESCRIBE"]
Pattern = Literal["LITERAL", "PREFIXED"]


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be.

    `config` holds Kafka's topic configuration as text, `written_by` and `read_by` principals.
    `channel` is the word after the speaker (`referral`), or the whole kind of a delivery topic
    (`inbox`, `receipt`, `dead-letter`); `agency` whose topic it is, `bus` for the bus's own.
    """

    name: str
    agency: str
    channel: str
    partitions: int
    replication: int
    config: Mapping[str, str]
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    ledgered: bool
    content: str

    @property
    def max_message_bytes(self) -> int:
        """Largest record batch that the broker takes."""
        return int(self.config["max.message.bytes"])


@dataclass(frozen=True, slots=True, order=True)
class AclSpec:
    """One allow rule; everything else is denied.

    `principal` is the bare login name (Kafka writes `User:<principal>`); `operation`, `resource_type`
    and `pattern` are Kafka's own words, so they name members of a client's enums.
    """

    principal: str
    operation: Operation
    resource_type: Literal["TOPIC", "GROUP"]
    name: str
    pattern: Pattern


def inbox(agency: str) -> str:
    """Topic of an agency's notices."""
    return f"inbox.{agency}"


def receipt(agency: str) -> str:
    """Topic of what became of an agency's own records."""
    return f"receipt.{agency}"


def dead_letter(agency: str) -> str:
    """Topic of an agency's refused records."""
    return f"dead-letter.{agency}"


@cache
def topics(n: int = EMBEDDED_PARTITIONS, replication: int = 1) -> tuple[TopicSpec, ...]:
    """All topics with `n` partitions for a channel, in name order.

    `min.insync.replicas` is 2 from three replicas on, else 1.
    """
    specs = [spec for entry in _entries() for spec in _expand(entry, n, replication)]
    return tuple(sorted(specs, key=lambda spec: spec.name))


def topic(name: str, n: int = EMBEDDED_PARTITIONS) -> TopicSpec | None:
    """The topic of that name, None if it is not one of this bus."""
    return _by_name(n).get(name)


@cache
def ledgered_topics(n: int = EMBEDDED_PARTITIONS) -> tuple[TopicSpec, ...]:
    """Topics of which every record becomes a ledger entry."""
    return tuple(spec for spec in topics(n) if spec.ledgered)


@cache
def agency_topics(n: int = EMBEDDED_PARTITIONS) -> tuple[TopicSpec, ...]:
    """The channels of all members: what the router admits. Key topics are not among them."""
    return tuple(spec for spec in ledgered_topics(n) if spec.agency != "bus" and spec.channel != "key")


@cache
def key_topics() -> tuple[str, ...]:
    """Names of all topics of key life, in name order."""
    return tuple(spec.name for spec in topics() if spec.channel == "key")


@cache
def acls(n: int = EMBEDDED_PARTITIONS) -> tuple[AclSpec, ...]:
    """The allow rules that `written_by`, `read_by` and the group names amount to, in order.

    READ and WRITE imply DESCRIBE, and an idempotent producer needs no more than WRITE of its topics.
    Where a principal may do the same with every topic of one first word, one prefixed rule says so.
    """
    rules: set[AclSpec] = set()
    for principal in PRINCIPALS:
        written = {spec.name for spec in topics(n) if principal in spec.written_by}
        read = {spec.name for spec in topics(n) if principal in spec.read_by}
        rules.update(_topic_rules(principal, "WRITE", written, n))
        rules.update(_topic_rules(principal, "READ", read, n))
        rules.add(_group_rule(principal))
    # Lag is the operator's business; describing a group gives no record away.
    rules.add(AclSpec(OPERATOR, "DESCRIBE", "GROUP", "*", "LITERAL"))
    return tuple(sorted(rules))


def _group_rule(principal: str) -> AclSpec:
    if principal in SERVICES:
        return AclSpec(principal, "READ", "GROUP", principal, "LITERAL")
    prefix = "audit." if principal == AUDITOR else f"{principal}."
    return AclSpec(principal, "READ", "GROUP", prefix, "PREFIXED")


def _topic_rules(principal: str, operation: Operation, names: set[str], n: int) -> Iterator[AclSpec]:
    by_word: dict[str, set[str]] = {}
    for spec in topics(n):
        by_word.setdefault(spec.name.split(".")[0], set()).add(spec.name)
    for word, all_of_word in by_word.items():
        # The bus's own topics are granted one by one: a later one must not inherit a reader.
        if word != "bus" and all_of_word <= names:
            yield AclSpec(principal, operation, "TOPIC", f"{word}.", "PREFIXED")
        else:
            for name in all_of_word & names:
                yield AclSpec(principal, operation, "TOPIC", name, "LITERAL")


@cache
def _by_name(n: int) -> dict[str, TopicSpec]:
    return {spec.name: spec for spec in topics(n)}


@cache
def _entries() -> tuple[dict[str, Any], ...]:
    folder = files("casebus_schemas") / "topics"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return tuple(yaml.safe_load((folder / name).read_text(encoding="utf-8")) for name in names)


def _expand(entry: dict[str, Any], n: int, replication: int) -> Iterator[TopicSpec]:
    for agency in entry.get("agencies", ["bus"]):

        def filled(texts: list[str], agency: str = agency) -> tuple[str, ...]:
            return tuple(text.format(agency=agency) for text in texts)

        name = entry["topic"].format(agency=agency)
        first, _, rest = name.partition(".")
        yield TopicSpec(
            name=name,
            agency=agency,
            channel=rest if first == agency else first,
            partitions=n if entry["partitions"] == "N" else int(entry["partitions"]),
            replication=replication,
            config=MappingProxyType(
                {
                    "cleanup.policy": "delete",
                    # The broker unpacks what a producer packed: readers need no codec library, and a
                    # record that unpacks to more than max.message.bytes is refused at the door.
                    "compression.type": "uncompressed",
                    "max.message.bytes": str(entry["max_message_bytes"]),
                    "message.timestamp.type": "LogAppendTime",
                    "min.insync.replicas": "2" if replication >= 3 else "1",
                    "retention.ms": "-1",
                }
            ),
            written_by=filled(entry["written_by"]),
            read_by=filled(entry["read_by"]),
            ledgered=entry["ledgered"],
            content=entry["content"],
        )
