"""Topics and access rules as pinned."""

from importlib.resources import files

import pytest
import yaml

from casebus_schemas.agencies import AGENCIES, GUESTS, MEMBERS, Members, agencies_with
from casebus_schemas.catalogue.topology import (
    PRINCIPALS,
    SERVICES,
    TopicSpec,
    acls,
    agency_topics,
    dead_letter,
    inbox,
    key_topics,
    ledgered_topics,
    principals,
    read_topic,
    receipt,
    topic,
    topics,
)
from casebus_schemas.errors import UsageError

MIB = 1024 * 1024
CHANNELS = ("referral", "consultation", "clue", "record")
NAMES = [spec.name for spec in topics()]


def _spec(name: str, n: int = 4) -> TopicSpec:
    found = topic(name, n)
    assert found is not None
    return found


def test_the_pinned_topics_exist_and_no_others() -> None:
    """The topics are exactly those of this issue."""
    expected = {f"{agency}.{channel}" for agency in AGENCIES for channel in (*CHANNELS, "key")}
    expected |= {f"{guest}.{channel}" for guest in GUESTS for channel in ("referral", "record", "key")}
    expected |= {f"bus.{name}" for name in ("key", "admission", "finding", "obligation", "command")}
    expected |= {"bus.checkpoint", *(f"{who}.cosignature" for who in ("spp", "mps", "csrc", "audit"))}
    expected |= {f"{kind}.{member}" for kind in ("inbox", "receipt", "dead-letter") for member in MEMBERS}
    assert set(NAMES) == expected
    assert sorted(NAMES) == NAMES


@pytest.mark.parametrize(
    "name", sorted(entry.name for entry in (files("casebus_schemas") / "topics").iterdir())
)
def test_topic_file(name: str) -> None:
    """A topic file says who writes and reads, what it holds, and bears its topic's name."""
    text = (files("casebus_schemas") / "topics" / name).read_text(encoding="utf-8")
    entry = yaml.safe_load(text)
    assert text.startswith("# ")
    assert name == entry["topic"].replace("{agency}", "agency").removesuffix(".agency") + ".yaml"
    for who in (*entry["written_by"], *entry["read_by"]):
        assert who == "{agency}" or who in PRINCIPALS or agencies_with(who)
    assert entry["content"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n", "replication", "in_sync"), [(4, 1, "1"), (12, 3, "2")])
def test_topic(name: str, n: int, replication: int, in_sync: str) -> None:
    """Channels, admissions, findings and obligations have N partitions, others one; nothing is deleted."""
    (spec,) = [spec for spec in topics(n, replication) if spec.name == name]
    many = spec.channel in (*CHANNELS, "admission", "finding", "obligation")
    assert spec.partitions == (n if many else 1)
    assert spec.replication == replication
    of_agency = spec.agency != "bus" and spec.name.startswith(f"{spec.agency}.")
    assert dict(spec.config) == {
        "cleanup.policy": "delete",
        "compression.type": "uncompressed",
        "retention.ms": "-1",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": in_sync,
        "max.message.bytes": str(MIB if of_agency else MIB + 64 * 1024),
    }
    delivered = spec.channel in ("inbox", "receipt", "dead-letter")
    # A ledgered checkpoint would make the next one, without end.
    of_the_ledger = spec.channel in ("checkpoint", "cosignature")
    assert spec.ledgered == (not delivered and not of_the_ledger)


def test_delivery_topics() -> None:
    """An agency's inbox, receipts and dead letters bear its name and go to it."""
    for member in MEMBERS:
        for name in (inbox(member), receipt(member), dead_letter(member)):
            assert _spec(name).agency == member
            assert member in _spec(name).read_by
            assert member not in _spec(name).written_by


def test_groups_of_topics() -> None:
    """The router reads the members' channels, the ledger all but what is delivered or tells of itself."""
    of_the_ledger = ("bus.checkpoint", *(name for name in NAMES if name.endswith(".cosignature")))
    said = {name for name in NAMES if name not in of_the_ledger}
    assert {spec.name for spec in agency_topics()} == {
        name for name in said if name.split(".")[0] in MEMBERS and not name.endswith(".key")
    }
    assert {spec.name for spec in ledgered_topics()} == {
        name for name in said if name.split(".")[0] in (*MEMBERS, "bus")
    }
    assert set(key_topics()) == {f"{who}.key" for who in (*MEMBERS, "bus")}


def _allowed(principal: str, operation: str, kind: str, name: str) -> bool:
    return any(
        rule.principal == principal
        and rule.operation == operation
        and rule.resource_type == kind
        and (name.startswith(rule.name) if rule.pattern == "PREFIXED" else rule.name in (name, "*"))
        for rule in acls()
    )


@pytest.mark.parametrize("principal", PRINCIPALS)
@pytest.mark.parametrize("name", NAMES)
def test_access_rules_say_what_the_topic_says(principal: str, name: str) -> None:
    """Who a topic file names may write or read it, and nobody else."""
    spec = _spec(name)
    assert _allowed(principal, "WRITE", "TOPIC", name) == (principal in spec.written_by)
    assert _allowed(principal, "READ", "TOPIC", name) == (principal in spec.read_by)


@pytest.mark.parametrize("member", MEMBERS)
def test_what_a_member_may(member: str) -> None:
    """A member writes its own prefix only; reads that, its deliveries, keys and what is cosigned."""
    assert {name for name in NAMES if _allowed(member, "WRITE", "TOPIC", name)} == {
        name for name in NAMES if name.startswith(f"{member}.")
    }
    deliveries = {inbox(member), receipt(member), dead_letter(member), "bus.checkpoint"}
    assert {name for name in NAMES if _allowed(member, "READ", "TOPIC", name)} == {
        name for name in NAMES if name.startswith(f"{member}.") or name.endswith((".key", ".cosignature"))
    } | deliveries


def test_who_writes_what_the_bus_says() -> None:
    """Each topic of the bus has one writer, and deliveries only the router and the ledger."""
    assert {name: _spec(name).written_by for name in NAMES if name.startswith("bus.")} == {
        "bus.admission": ("router",),
        "bus.checkpoint": ("sealer",),
        "bus.command": ("operator",),
        "bus.finding": ("reconciler",),
        "bus.key": ("operator",),
        "bus.obligation": ("reconciler",),
    }
    assert _spec("inbox.mps").written_by == ("router",)
    assert _spec("receipt.mps").written_by == ("router", "ledger")
    assert _spec("dead-letter.mps").written_by == ("router",)


def test_auditor_and_operator_read_all() -> None:
    """The auditor and the operator read every topic; the auditor writes only what it cosigns itself."""
    for name in NAMES:
        assert _allowed("auditor", "READ", "TOPIC", name)
        assert _allowed("operator", "READ", "TOPIC", name)
        assert _allowed("auditor", "WRITE", "TOPIC", name) == (name == "audit.cosignature")


def test_each_witness_writes_its_own_topic() -> None:
    """Three members and the auditor's office cosign, each on a topic that nobody else writes."""
    written = {spec.name: spec.written_by for spec in topics() if spec.channel == "cosignature"}
    assert written == {
        "audit.cosignature": ("auditor",),
        "csrc.cosignature": ("csrc",),
        "mps.cosignature": ("mps",),
        "spp.cosignature": ("spp",),
    }
    assert [_spec(name).partitions for name in written] == [1] * 4
    assert _spec("audit.cosignature").agency == "audit"


def test_the_sealer_asks_for_ends_and_reads_only_heads() -> None:
    """The sealer may ask where ledgered topics end, reads none of them, and writes checkpoints alone."""
    for name in NAMES:
        heads = name == "bus.checkpoint" or name.endswith(".cosignature")
        assert _allowed("sealer", "READ", "TOPIC", name) == heads
        assert _allowed("sealer", "DESCRIBE", "TOPIC", name) == _spec(name).ledgered
        assert _allowed("sealer", "WRITE", "TOPIC", name) == (name == "bus.checkpoint")


def test_groups() -> None:
    """A member's groups bear its prefix, a service's its name, an auditor's `audit.`; no other is open."""
    for principal in PRINCIPALS:
        group = principal if principal in SERVICES else f"{principal}.desk"
        if principal == "auditor":
            group = "audit.replay"
        assert _allowed(principal, "READ", "GROUP", group)
        for other in PRINCIPALS:
            if other != principal:
                assert not _allowed(other, "READ", "GROUP", group)


def test_services_cannot_speak_for_members() -> None:
    """No service, auditor or operator may write where a member speaks."""
    for spec in topics():
        if spec.name.split(".")[0] in MEMBERS:
            assert spec.written_by == (spec.agency,)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"agencies": ["csrc"]}, "its keys"),
        ({"content": None}, "its keys"),
        ({"each": None}, "each"),
        ({"topic": "bus.clue"}, "each"),
        ({"read_by": "router"}, "read_by"),
    ],
)
def test_a_topic_file_that_is_not_right_is_refused(changed: dict[str, object], message: str) -> None:
    """A topic file with unknown or missing keys is never expanded."""
    text = (files("casebus_schemas") / "topics" / "agency.clue.yaml").read_text(encoding="utf-8")
    entry = {key: value for key, value in {**yaml.safe_load(text), **changed}.items() if value is not None}
    with pytest.raises(UsageError, match=message):
        read_topic("a topic", yaml.safe_dump(entry))


def test_a_member_cannot_bear_the_login_of_a_service() -> None:
    """Two principals of one name would share what each may do."""
    text = (files("casebus_schemas") / "agencies.yaml").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="one login for two"):
        principals(Members.parse(text.replace("  mps: {", "  router: {")))


def test_topics_and_rules_follow_the_members() -> None:
    """Given other members, their topics, their access and what services may do with them follow."""
    text = (files("casebus_schemas") / "agencies.yaml").read_text(encoding="utf-8")
    entry = "  ncb: {part: guest, roles: [police], zh: 局, en: bureau}\n"
    members = Members.parse(text + entry)
    added = {spec.name for spec in topics(members=members)} - set(NAMES)
    channels = ("ncb.key", "ncb.record", "ncb.referral")
    assert added == {*channels, *(f"{kind}.ncb" for kind in ("inbox", "receipt", "dead-letter"))}
    found = topic("ncb.referral", members=members)
    assert found is not None
    assert found.written_by == ("ncb",)
    assert {rule.name for rule in acls(members=members) if rule.principal == "ncb"} > {"ncb.", "inbox.ncb"}
    assert topic("ncb.referral") is None
