"""Gathers the state of a running bus: services, lag, last batch, access denials."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .folder import (
    Disk,
    LastBackup,
    denials_in,
    disk_of,
    failed_logins_in,
    heartbeats_in,
    last_backup,
    processes_in,
    throttled_now,
)

STALE_AFTER_S = 10.0
"""A service writes its heartbeat about every second; ten missed ones are worth a warning."""

_DENIALS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service process. `lag` is the number of records that it has not yet taken in."""

    name: str
    pid: int | None
    running: bool
    restarts: int
    lag: int | None
    last_batch_at: float | None
    last_batch_records: int | None
    records: int | None
    beat_age_s: float | None
    stopped: tuple[tuple[str, str], ...] = ()
    """Partitions that have stopped because evidence is at risk, and why."""
    counts: tuple[tuple[str, int], ...] = ()
    """What else a person should know of, such as key events ignored, since the start."""
    reason: str | None = None
    """Why it ended for good and is not started again."""
    key_terms: tuple[str, ...] = ()
    """Keys that end soon, or have ended with none to follow."""
    sealed: str = ""
    """Of the sealer: its last epoch, in words."""

    @property
    def state(self) -> str:
        """`ok`, or what is wrong.

        `stale` (alive but silent), `stopped` (in some partition evidence is at risk), `ended` (for good:
        evidence is at risk) or `down`.
        """
        if self.reason is not None:
            return "ended"
        if not self.running:
            return "down"
        if self.stopped:
            return "stopped"
        if self.beat_age_s is not None and self.beat_age_s > STALE_AFTER_S:
            return "stale"
        return "ok"


@dataclass(frozen=True, slots=True)
class Status:
    """The whole bus at one moment. `at` is seconds since 1970 UTC."""

    at: float
    broker: str
    broker_up: bool
    services: tuple[ServiceStatus, ...]
    topics: tuple[tuple[str, int], ...]
    denials: tuple[str, ...]
    failed_logins: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    """Logins that a quota of the embedded broker slows down now."""
    set_aside: tuple[Mapping[str, Any], ...] = ()
    """Chains that the reconciler could not compute, each with `chain`, `since` and `reason`."""
    cosigning: Mapping[str, Any] | None = None
    """The ledger's newest, provisional and final head, its witnesses, two histories; None if unknown."""
    disk: Disk | None = None
    backup: LastBackup | None = None

    @property
    def ready(self) -> bool:
        """Whether everything that should run runs and moves."""
        return self.broker_up and bool(self.services) and all(s.state == "ok" for s in self.services)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON of everything on the page."""
        body = asdict(self)
        for service, value in zip(body["services"], self.services, strict=True):
            service["state"] = value.state
        return body | {"ready": self.ready}


def service_statuses(
    processes: Mapping[str, Mapping[str, Any]],
    heartbeats: Mapping[str, Mapping[str, Any]],
    lags: Mapping[str, int],
    now: float,
) -> tuple[ServiceStatus, ...]:
    """Joins what the supervisor, the services themselves and Kafka say of each service."""
    found = []
    for name, process in sorted(processes.items()):
        beat = heartbeats.get(name, {})
        beat_at = beat.get("at")
        found.append(
            ServiceStatus(
                name=name,
                pid=process.get("pid"),
                running=bool(process.get("running")),
                restarts=int(process.get("restarts", 0)),
                lag=lags.get(name),
                last_batch_at=beat.get("last_batch_at"),
                last_batch_records=beat.get("last_batch_records"),
                records=beat.get("records"),
                stopped=tuple(sorted(beat.get("stopped", {}).items())),
                counts=tuple((what, count) for what, count in beat.get("counts", {}).items() if count),
                reason=process.get("reason"),
                key_terms=tuple(str(one["text"]) for one in beat.get("key_terms", ())),
                sealed=sealed_words(beat.get("sealed", {}), now),
                beat_age_s=None if beat_at is None else max(0.0, now - float(beat_at)),
            )
        )
    return tuple(found)


def sealed_words(sealed: Mapping[str, Any], now: float) -> str:
    """What a sealer's heartbeat says of its last epoch, for a person; empty for other services.

    `now` is seconds since 1970 UTC.
    """
    if not sealed:
        return ""
    waiting = f"{sealed['waiting']} 条未封存 entries not sealed"
    if not sealed["epoch"]:
        return f"尚未封存 nothing sealed yet, {waiting}"
    age_s = max(0, round(now - sealed["at_ms"] / 1000))
    return f"第 {sealed['epoch']} 期 epoch {sealed['epoch']}, {age_s} 秒前 s ago, {waiting}"


def lag_of(
    ends: Mapping[Any, int],
    positions: Mapping[Any, int],
    passed: Mapping[tuple[str, int], tuple[int, int]] = MappingProxyType({}),
) -> int:
    """Records between where a service stands and where its partitions end.

    `passed` are offsets at which Kafka holds no record, from and to: markers of transactions are no lag.
    """
    lag = 0
    for place, at in positions.items():
        first, after = passed.get(place, (None, 0))
        lag += max(0, ends.get(place, 0) - (after if at == first else at))
    return lag


def passed_by(heartbeats: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], tuple[int, int]]:
    """Where services have passed over offsets without a record, by topic and partition."""
    found = {}
    for beat in heartbeats:
        for name, (first, after) in beat.get("passed", {}).items():
            topic, _, number = name.rpartition("/")
            found[topic, int(number)] = (int(first), int(after))
    return found


class StatusReader:
    """Reads the state of one bus from its folder and its broker.

    `client` is the keyword arguments of kafka-python's clients for a principal that may describe groups;
    `set_aside` gives the chains that are set aside, `positions` where services that keep their offsets
    themselves stand (None: unknown), `cosigning` how the ledger's heads stand; none raises. Of the others
    Kafka's group is asked.
    Blocking; not for several threads at once.
    """

    def __init__(
        self,
        folder: Path,
        client: Mapping[str, Any],
        groups: Iterable[str],
        set_aside: Callable[[], Iterable[Mapping[str, Any]]] = tuple,
        positions: Callable[[], Mapping[str, Mapping[Any, int] | None]] = dict,
        cosigning: Callable[[], Mapping[str, Any] | None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._client = dict(client)
        self._groups = tuple(groups)
        self._set_aside = set_aside
        self._positions = positions
        self._cosigning = cosigning
        self._admin: Any = None
        self._consumer: Any = None

    def read(self) -> Status:
        """The bus as it is now. Never raises: what cannot be read is shown as down."""
        now = time.time()
        processes, heartbeats = processes_in(self._folder), heartbeats_in(self._folder)
        lags, ends, up = self._lags(passed_by(heartbeats.values()))
        return Status(
            at=now,
            broker=",".join(self._client["bootstrap_servers"]),
            broker_up=up,
            services=service_statuses(processes, heartbeats, lags, now),
            topics=tuple(sorted(ends.items())),
            denials=denials_in(self._folder, _DENIALS_SHOWN),
            failed_logins=failed_logins_in(self._folder, _DENIALS_SHOWN),
            held_back=tuple(one.text for one in throttled_now(self._folder, now)),
            set_aside=tuple(self._set_aside()),
            cosigning=self._cosigning() if up else None,
            disk=disk_of(self._folder),
            backup=last_backup(self._folder),
        )

    def close(self) -> None:
        """Closes the clients."""
        for client in (self._admin, self._consumer):
            if client is not None:
                client.close()
        self._admin = self._consumer = None

    def _lags(
        self, passed: Mapping[tuple[str, int], tuple[int, int]]
    ) -> tuple[dict[str, int], dict[str, int], bool]:
        from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
        from kafka.errors import CoordinatorNotAvailableError, KafkaError

        try:
            if self._admin is None:
                quick = self._client | {"bootstrap_timeout_ms": 2_000, "request_timeout_ms": 5_000}
                self._consumer = KafkaConsumer(**quick)
                quick.pop("allow_auto_create_topics", None)  # a consumer's word only
                self._admin = KafkaAdminClient(**quick)
            names = [t for t in self._consumer.topics() if not t.startswith("__")]
            partitions = [
                TopicPartition(name, number)
                for name in names
                for number in self._consumer.partitions_for_topic(name) or ()
            ]
            ends = self._consumer.end_offsets(partitions)
            own = self._positions()
            lags = {name: lag_of(ends, at, passed) for name, at in own.items() if at is not None}
            for group in (name for name in self._groups if name not in own):
                try:
                    committed = self._admin.list_group_offsets({group: None})[group]
                except CoordinatorNotAvailableError:  # a group that never was
                    continue
                lags[group] = lag_of(ends, {place: offset.offset for place, offset in committed.items()})
        except (KafkaError, OSError):
            # A page about what is broken must not break: the broker is shown as down.
            self.close()
            return {}, {}, False
        by_topic: dict[str, int] = {}
        for place, end in ends.items():
            by_topic[place.topic] = by_topic.get(place.topic, 0) + end
        return lags, by_topic, True
