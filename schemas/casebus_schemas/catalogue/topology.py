"""Which topics exist, who writes and reads each, and the access rules that follow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from casebus_schemas.agencies import BUS, Members
from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import known_keys, read_yaml, texts

from .services import Service, services, workers

EMBEDDED_PARTITIONS = 4
"""N: partitions of the channels, of admissions, findings and obligations; immutable once chosen."""

ADMISSION = "bus.admission"
FINDING = "bus.finding"
OBLIGATION = "bus.obligation"
COMMAND = "bus.command"
CHECKPOINT = "bus.checkpoint"
BUS_KEY = "bus.key"

SERVICES: tuple[str, ...] = workers()
"""Services that log in under their own name."""
AUDITOR = "auditor"
OPERATOR = "operator"


def principals(members: Members | None = None) -> tuple[str, ...]:
    """Everybody who may log in to the broker, beside its own administrator.

    Raises UsageError if two of them would bear one name.
    """
    found = (*(members or Members.load()).all, *SERVICES, AUDITOR, OPERATOR)
    if len(set(found)) < len(found):
        twice = sorted({name for name in found if found.count(name) > 1})
        raise UsageError("one login for two", found=", ".join(twice), expected="a name of its own for each")
    return found


PRINCIPALS: tuple[str, ...] = principals()

_REQUIRED = ("topic", "partitions", "max_message_bytes", "ledgered", "written_by", "read_by", "content")

Operation = Literal["READ", "WRITE", "DESCRIBE", "DESCRIBE_CONFIGS"]
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
    resource_type: Literal["TOPIC", "GROUP", "CLUSTER"]
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


def cosignature(witness: str) -> str:
    """Topic of what a witness cosigned."""
    return f"{witness}.cosignature"


def in_sync_replicas(replication: int) -> str:
    """How many of so many replicas must have a record before it is acknowledged: 2 from three on, else 1."""
    return "2" if replication >= 3 else "1"


@cache
def topics(
    n: int = EMBEDDED_PARTITIONS, replication: int = 1, members: Members | None = None
) -> tuple[TopicSpec, ...]:
    """All topics with `n` partitions for a channel, in name order; `members` are those of this package."""
    known = members or Members.load()
    specs = [spec for entry in _entries() for spec in _expand(entry, n, replication, known)]
    return tuple(sorted(specs, key=lambda spec: spec.name))


def topic(name: str, n: int = EMBEDDED_PARTITIONS, members: Members | None = None) -> TopicSpec | None:
    """The topic of that name, None if it is not one of this bus."""
    return _by_name(n, members).get(name)


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
def agency_key_topics() -> tuple[str, ...]:
    """Those of them that agencies write: they get receipts for what they say there, too."""
    return tuple(name for name in key_topics() if name != BUS_KEY)


@cache
def acls(n: int = EMBEDDED_PARTITIONS, members: Members | None = None) -> tuple[AclSpec, ...]:
    """The allow rules that `written_by`, `read_by` and the group names amount to, in order.

    READ and WRITE imply DESCRIBE, and an idempotent producer needs no more than WRITE of its topics.
    Where a principal may do the same with every topic of one first word, one prefixed rule says so.
    """
    rules: set[AclSpec] = set()
    specs = topics(n, members=members)
    for principal in principals(members):
        written = {spec.name for spec in specs if principal in spec.written_by}
        read = {spec.name for spec in specs if principal in spec.read_by}
        rules.update(_topic_rules(principal, "WRITE", written, specs))
        rules.update(_topic_rules(principal, "READ", read, specs))
        rules.add(_group_rule(principal))
        service = services().get(principal)
        if service is not None and service.describes_ledgered:
            ledgered = {spec.name for spec in specs if spec.ledgered}
            rules.update(_topic_rules(principal, "DESCRIBE", ledgered, specs))
    # Lag is the operator's business; describing a group gives no record away.
    rules.add(AclSpec(OPERATOR, "DESCRIBE", "GROUP", "*", "LITERAL"))
    # So that the doctor sees whether quotas and limits are as they should be.
    rules.add(AclSpec(OPERATOR, "DESCRIBE_CONFIGS", "CLUSTER", "kafka-cluster", "LITERAL"))
    # And who may do what, above all that nobody may have transactions.
    rules.add(AclSpec(OPERATOR, "DESCRIBE", "CLUSTER", "kafka-cluster", "LITERAL"))
    return tuple(sorted(rules))


def _group_rule(principal: str) -> AclSpec:
    if principal in SERVICES:
        return AclSpec(principal, "READ", "GROUP", principal, "LITERAL")
    prefix = "audit." if principal == AUDITOR else f"{principal}."
    return AclSpec(principal, "READ", "GROUP", prefix, "PREFIXED")


def _topic_rules(
    principal: str, operation: Operation, names: set[str], specs: Sequence[TopicSpec]
) -> Iterator[AclSpec]:
    by_word: dict[str, set[str]] = {}
    for spec in specs:
        by_word.setdefault(spec.name.split(".")[0], set()).add(spec.name)
    for word, all_of_word in by_word.items():
        # The bus's own topics are granted one by one: a later one must not inherit a reader.
        if word != "bus" and all_of_word <= names:
            yield AclSpec(principal, operation, "TOPIC", f"{word}.", "PREFIXED")
        else:
            for name in all_of_word & names:
                yield AclSpec(principal, operation, "TOPIC", name, "LITERAL")


@cache
def _by_name(n: int, members: Members | None) -> dict[str, TopicSpec]:
    return {spec.name: spec for spec in topics(n, members=members)}


@cache
def _entries() -> tuple[dict[str, Any], ...]:
    folder = files("casebus_schemas") / "topics"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    found = tuple(read_topic(f"topics/{name}", (folder / name).read_text(encoding="utf-8")) for name in names)
    _check_services({entry["topic"] for entry in found})
    return found


def read_topic(where: str, source: str) -> dict[str, Any]:
    """The entry of a topic file. Raises UsageError for keys that are missing or that nobody knows."""
    entry: dict[str, Any] = read_yaml(where, source)
    known_keys(where, entry, required=_REQUIRED, optional=("each",))
    if ("each" in entry) != ("{agency}" in entry["topic"]):
        raise UsageError(
            f"{where}: each", expected="the role whose agencies have it, or witness; {agency} in its name"
        )
    for key in ("written_by", "read_by"):
        texts(where, key, entry[key])
    return entry


def _check_services(known: set[str]) -> None:
    for service in services().values():
        unknown = {*service.writes, *service.reads} - known
        if unknown:
            raise UsageError(
                f"services.yaml: {service.name} names a topic",
                found=", ".join(sorted(unknown)),
                expected="topics as their files write them",
            )


def _expand(entry: dict[str, Any], n: int, replication: int, members: Members) -> Iterator[TopicSpec]:
    for agency in members.having(entry.get("each", BUS)):
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
                    "min.insync.replicas": in_sync_replicas(replication),
                    "retention.ms": "-1",
                }
            ),
            written_by=_who(entry, "written_by", agency, members),
            read_by=_who(entry, "read_by", agency, members),
            ledgered=entry["ledgered"],
            content=entry["content"],
        )


def _who(
    entry: dict[str, Any], key: Literal["written_by", "read_by"], agency: str, members: Members
) -> tuple[str, ...]:
    """The principals for whom a topic file and services.yaml stand, each once."""
    found: list[str] = []
    for word in entry[key]:
        if word in (*SERVICES, AUDITOR, OPERATOR):
            found.append(word)
        elif word == "{agency}":
            found.append(members.login_of(agency))
        else:
            found.extend(members.agencies_with(word))
    found.extend(s.name for s in services().values() if entry["topic"] in _beside(s, key))
    return tuple(dict.fromkeys(found))


def _beside(service: Service, key: Literal["written_by", "read_by"]) -> tuple[str, ...]:
    return service.writes if key == "written_by" else service.reads
