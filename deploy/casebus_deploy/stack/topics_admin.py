"""Makes topics, their settings, access rules, logins and quotas of a cluster equal to the topology files.

`plan` says what differs, `apply` changes it. Both are idempotent. Nothing is deleted unless asked to prune,
and topics never: they hold evidence. A partition count is immutable, since the key's partition is signed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from kafka import KafkaAdminClient
from kafka.admin import ACL
from kafka.errors import KafkaError

from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue import topology
from casebus_schemas.catalogue.quotas import quotas
from casebus_schemas.catalogue.topology import AclSpec, TopicSpec
from casebus_schemas.errors import RetryLater, UsageError

from .access_rules import acl_in_words, acl_of, described_acls, in_words, is_faulty
from .change_refused import ChangeRefused
from .logins import add_users, password_file, remove_users
from .quotas_admin import Differing, described_quotas, differing_quotas, set_quotas
from .share_groups import differing_groups
from .topic_settings import differing_configs, set_configs

SETTLE_TIMEOUT_S = 30.0
_POLL_S = 0.1
MOST_REPLICAS = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the cluster should hold."""

    topics: tuple[TopicSpec, ...]
    acls: tuple[AclSpec, ...]
    users: tuple[str, ...]
    quotas: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    unmade: frozenset[str] = frozenset()
    """Users whose logins are left alone, so that they stay missing; their quotas wait for them."""

    @classmethod
    def of_bus(cls, partitions: int = topology.EMBEDDED_PARTITIONS, replication: int = 1) -> Wanted:
        """What the topology files say for `partitions` partitions of each channel."""
        return cls(
            topology.topics(partitions, replication),
            topology.acls(partitions),
            tuple(topology.PRINCIPALS),
            quotas(),
        )

    def without_logins(self, others: Iterable[str]) -> Wanted:
        """The same, but for logins that are not made yet: those of agencies that have not joined."""
        return replace(self, unmade=frozenset(others))

    @classmethod
    def of_cluster(cls, admin: Any, partitions: int = topology.EMBEDDED_PARTITIONS) -> Wanted:
        """What the topology files say for this cluster: new topics as replicated as those that are there.

        Where the bus has no topic yet, each gets three replicas, or as many as there are brokers.
        """
        present = _present(admin)
        found = [_replicas(present[s.name]) for s in topology.topics(partitions) if s.name in present]
        if found:
            return cls.of_bus(partitions, max(found))
        brokers = [b for b in admin.describe_cluster()["brokers"] if not b.get("is_fenced")]
        return cls.of_bus(partitions, min(MOST_REPLICAS, len(brokers)))


@dataclass(frozen=True, slots=True)
class Change:
    """One difference in words."""

    action: Literal["create", "set", "allow", "login", "quota", "conflict", "fault", "foreign", "replicate"]
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Differences between a cluster and what is wanted.

    `refused` are logins that the cluster does not let in with the password in their file. `faulty_acls` are
    rights that nobody may have, such as to transactions: `apply` removes them only with prune. `thin` are
    topics with fewer replicas than wanted, which Kafka's own tool must add. `foreign_*` is there though none
    of the files says so: left alone, unless `apply` is told to prune rules and logins.
    """

    topics: tuple[TopicSpec, ...] = ()
    configs: Mapping[str, Mapping[str, tuple[str | None, str | None]]] = field(default_factory=dict)
    acls: tuple[AclSpec, ...] = ()
    users: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    faulty_acls: tuple[ACL, ...] = ()
    quotas: Differing = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, tuple[str | None, str | None]]] = field(default_factory=dict)
    conflicts: tuple[Change, ...] = ()
    thin: tuple[Change, ...] = ()
    foreign_topics: tuple[str, ...] = ()
    foreign_acls: tuple[ACL, ...] = ()
    foreign_users: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether nothing has to be added, changed or decided."""
        todo = (self.topics, self.configs, self.acls, self.users, self.refused, self.quotas, self.groups)
        return not any(todo)

    def changes(self) -> Iterator[Change]:
        """Every difference, one by one."""
        yield from self.conflicts
        for spec in self.topics:
            yield Change("create", spec.name, f"{spec.partitions} partitions, replication {spec.replication}")
        for name, values in self.configs.items():
            for key, (old, new) in values.items():
                yield Change("set", name, f"{key}: {old} -> {'default' if new is None else new}")
        for name, values in self.groups.items():
            for key, (old, new) in values.items():
                yield Change("set", f"group {name}", f"{key}: {old} -> {new}")
        for rule in self.acls:
            yield Change("allow", rule.principal, in_words(rule))
        for user in self.users:
            yield Change("login", user, "SCRAM-SHA-512, password in a file")
        for user in self.refused:
            yield Change("login", user, "refused with the password in its file: the cluster has another one")
        for acl in self.faulty_acls:
            yield Change("fault", acl.principal, f"a right that nobody may have: {acl_in_words(acl)}")
        for user, limits in self.quotas.items():
            for key, (found, wanted) in limits.items():
                yield Change("quota", user, f"{key}: {_limit(found)} -> {_limit(wanted)}")
        yield from self.thin
        for name in self.foreign_topics:
            yield Change("foreign", name, "a topic that no file names; never deleted by this command")
        for acl in self.foreign_acls:
            yield Change("foreign", acl.principal, f"a rule that no file names: {acl_in_words(acl)}")
        for user in self.foreign_users:
            yield Change("foreign", user, "a login that no file names")


def plan(
    admin: Any, wanted: Wanted, credentials: Path | None = None, *, keep_users: Sequence[str] = ("admin",)
) -> Plan:
    """Compare the cluster behind `admin` (a KafkaAdminClient) with what is wanted. Changes nothing.

    `credentials` is the folder of password files; None leaves logins to somebody else. A login whose file is
    lost counts as missing: it gets a new password. `keep_users` are logins that are nobody's business here.
    """
    present = _present(admin)
    known = [spec for spec in wanted.topics if spec.name in present]
    acls = set(described_acls(admin))
    wished = {acl_of(rule): rule for rule in wanted.acls}
    logins = set(admin.describe_user_scram_credentials()) if credentials is not None else set()
    return Plan(
        topics=tuple(spec for spec in wanted.topics if spec.name not in present),
        configs=differing_configs(admin, known, {s.name: _replicas(present[s.name]) for s in known}),
        acls=tuple(rule for acl, rule in wished.items() if acl not in acls),
        users=tuple(
            user
            for user in wanted.users
            if credentials is not None
            and user not in wanted.unmade
            and (user not in logins or not password_file(credentials, user).is_file())
        ),
        refused=_refused(admin, wanted, logins, credentials),
        faulty_acls=tuple(acl for acl in acls if is_faulty(acl)),
        quotas=differing_quotas(described_quotas(admin), wanted.quotas, wanted.users),
        groups=differing_groups(admin, MEMBERS),
        conflicts=tuple(_conflicts(known, present)),
        thin=tuple(_thin(known, present)),
        foreign_topics=tuple(sorted(present.keys() - {spec.name for spec in wanted.topics})),
        foreign_acls=tuple(acl for acl in acls if acl not in wished and not is_faulty(acl)),
        foreign_users=tuple(sorted(logins - set(wanted.users) - set(keep_users))),
    )


def apply(
    admin: Any,
    wanted: Wanted,
    credentials: Path | None = None,
    *,
    prune: bool = False,
    keep_users: Sequence[str] = ("admin",),
    timeout_s: float = SETTLE_TIMEOUT_S,
) -> Plan:
    """Make the cluster equal to `wanted`; return the plan that was carried out.

    Blocking: returns when the cluster itself shows all of it (access rules become visible late). Idempotent.
    Raises UsageError before any change if a partition count differs, ChangeRefused if the cluster refuses a
    change, RetryLater if it does not show the result within `timeout_s`.
    """
    todo = plan(admin, wanted, credentials, keep_users=keep_users)
    if todo.conflicts:
        first = todo.conflicts[0]
        raise UsageError(
            f"{first.subject} cannot be changed in place",
            found=first.detail,
            expected="the partition count that the topic was made with",
            remedy="start with that count, or open a new generation of topics with a closing record",
        )
    if (todo.users or todo.refused) and credentials is not None:
        add_users(admin, (*todo.users, *todo.refused), credentials)
    if todo.topics:
        _create_topics(admin, todo.topics)
    if todo.configs:
        set_configs(admin, todo.configs)
    if todo.quotas:
        set_quotas(admin, todo.quotas)
    if todo.groups:
        set_configs(admin, todo.groups, "GROUP")
    if todo.acls:
        answer = admin.create_acls([acl_of(rule) for rule in todo.acls])
        if answer["failed"]:
            raise ChangeRefused(
                "access rules were refused",
                found=", ".join(sorted({error.__name__ for error in answer["failed"]})),
                expected="all of them taken",
                remedy="log in as a super user of the cluster",
            )
    if prune:
        _prune(admin, todo)
    _until_settled(admin, wanted, credentials, keep_users, timeout_s)
    return todo


def apply_to_cluster(
    settings: Mapping[str, Any], partitions: int, credentials: Path, without: Iterable[str] = ()
) -> Plan:
    """Log in with a KafkaAdminClient's settings and apply what the bus wants of that cluster.

    `without` are logins that it does not make.

    Raises RetryLater if the cluster does not let the administrator in, else as `apply`.
    """
    try:
        with closing(KafkaAdminClient(**settings, bootstrap_timeout_ms=10_000)) as admin:
            wanted = Wanted.of_cluster(admin, partitions).without_logins(without)
            return apply(admin, wanted, credentials)
    except KafkaError as error:
        raise RetryLater(
            "the cluster's administration does not answer",
            found=type(error).__name__,
            expected=f"a broker on {settings['bootstrap_servers']} that lets the administrator in",
        ) from error


def _refused(admin: Any, wanted: Wanted, logins: Iterable[str], credentials: Path | None) -> tuple[str, ...]:
    if credentials is None:
        return ()
    from .tried_logins import refused_logins  # an agency's or an auditor's installation has no aiokafka

    known = set(logins)
    return refused_logins(admin.config, [user for user in wanted.users if user in known], credentials)


def _limit(value: float | None) -> str:
    return "no limit" if value is None else f"{value:.0f}"


# --- topics and their configuration --------------------------------------------------------------------


def _present(admin: Any) -> dict[str, Any]:
    return {entry["name"]: entry for entry in admin.describe_topics() if not entry["is_internal"]}


def _replicas(entry: Mapping[str, Any]) -> int:
    return min((len(partition["replica_nodes"]) for partition in entry["partitions"]), default=0)


def _thin(known: Sequence[TopicSpec], present: Mapping[str, Any]) -> Iterator[Change]:
    for spec in known:
        count = _replicas(present[spec.name])
        if count < spec.replication:
            tool = "kafka-reassign-partitions adds them"
            yield Change("replicate", spec.name, f"{count} replicas, {spec.replication} wanted; {tool}")


def _create_topics(admin: Any, specs: Sequence[TopicSpec]) -> None:
    admin.create_topics(
        {
            spec.name: {
                "num_partitions": spec.partitions,
                "replication_factor": spec.replication,
                "configs": dict(spec.config),
            }
            for spec in specs
        },
        timeout_ms=30_000,
        wait_for_metadata=True,
    )


def _conflicts(known: Sequence[TopicSpec], present: Mapping[str, Any]) -> Iterator[Change]:
    for spec in known:
        count = len(present[spec.name]["partitions"])
        if count != spec.partitions:
            yield Change("conflict", spec.name, f"{count} partitions, {spec.partitions} wanted")


def _prune(admin: Any, todo: Plan) -> None:
    if rules := [*todo.faulty_acls, *todo.foreign_acls]:
        for _, _, error in admin.delete_acls(rules):
            if error.errno:
                raise ChangeRefused("an access rule could not be removed", found=error.__name__)
    if todo.foreign_users:
        remove_users(admin, todo.foreign_users)


def _until_settled(
    admin: Any, wanted: Wanted, credentials: Path | None, keep_users: Sequence[str], timeout_s: float
) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        rest = plan(admin, wanted, credentials, keep_users=keep_users)
        if rest.settled:
            return
        if time.monotonic() > deadline:
            first = next(rest.changes())
            raise RetryLater(
                "the cluster does not yet show what it took",
                found=f"still to do: {first.action} {first.subject} ({first.detail})",
                expected=f"all visible within {timeout_s:.0f} s",
                remedy="look at the cluster's health, then apply again",
            )
        time.sleep(_POLL_S)
