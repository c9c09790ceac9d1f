"""A cluster with replicas keeps them: nothing that applies the topology asks for fewer than are there."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.admin import ConfigResource
from kafka.errors import UnsupportedVersionError
from kafka.protocol.admin import DescribeClientQuotasRequest
from typer.testing import CliRunner

from casebus_deploy.cli import topics as topics_cli
from casebus_deploy.stack import topics_admin, tried_logins
from casebus_deploy.stack.topics_admin import Wanted, apply, apply_to_cluster, plan
from casebus_schemas.catalogue.topology import topics
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from support.cases.members import write_connection

IN_SYNC = "min.insync.replicas"


class StubCluster:
    """Answers an administrator for a cluster of some brokers; remembers topics and their settings."""

    def __init__(self, brokers: int = 3) -> None:
        self.brokers = brokers
        self.topics: dict[str, tuple[int, int]] = {}
        self.configs: dict[str, dict[str, str]] = {}
        self.acls: list[Any] = []
        self.users: set[str] = set()
        self.altered: list[str] = []
        self.quotas: dict[str, dict[str, float]] = {}
        self.config: dict[str, Any] = {}
        self._manager = SimpleNamespace(send=None, run=lambda _send, request: self._quota_answer(request))

    def close(self) -> None:
        """Nothing is open."""

    def describe_cluster(self) -> dict[str, Any]:
        """As many brokers as told, and one that is fenced."""
        fenced = [{"broker_id": 99, "is_fenced": True}]
        return {"brokers": [{"broker_id": n, "is_fenced": False} for n in range(self.brokers)] + fenced}

    def describe_topics(self) -> list[dict[str, Any]]:
        """Every topic with the nodes of its replicas."""
        return [
            {"name": name, "is_internal": False, "partitions": [{"replica_nodes": list(range(many))}] * count}
            for name, (count, many) in self.topics.items()
        ]

    def create_topics(self, wanted: Mapping[str, Mapping[str, Any]], **_: object) -> None:
        """Makes the topics as told."""
        for name, topic in wanted.items():
            self.topics[name] = (topic["num_partitions"], topic["replication_factor"])
            self.configs[name] = dict(topic["configs"])

    def describe_configs(self, resources: Sequence[ConfigResource], **_: object) -> dict[str, Any]:
        """All settings as set on the topics."""
        return {
            "topic": {
                resource.name: {
                    key: {"value": value, "config_source": "DYNAMIC_TOPIC_CONFIG"}
                    for key, value in self.configs[resource.name].items()
                }
                for resource in resources
            }
        }

    def alter_configs(self, resources: Sequence[ConfigResource]) -> dict[str, Any]:
        """Sets what is told, and remembers where."""
        for resource in resources:
            self.altered.append(resource.name)
            for key, (_, value) in resource.configs.items():
                self.configs[resource.name][key] = value
        return {"topic": {resource.name: "OK" for resource in resources}}

    def list_groups(self, **_: object) -> list[dict[str, Any]]:
        """A cluster that knows no kinds of groups, so that no share group begins anywhere."""
        raise UnsupportedVersionError

    def describe_acls(self, _: object) -> tuple[list[Any], None]:
        """The rules that were made."""
        return self.acls, None

    def create_acls(self, acls: list[Any]) -> dict[str, Any]:
        """Takes every rule."""
        self.acls += acls
        return {"failed": []}

    def describe_user_scram_credentials(self) -> dict[str, Any]:
        """The logins that were made."""
        return dict.fromkeys(self.users)

    def alter_user_scram_credentials(self, alterations: Sequence[Any]) -> dict[str, None]:
        """Takes every login."""
        names = [
            str(alteration.user if hasattr(alteration, "user") else alteration.name)
            for alteration in alterations
        ]
        self.users.update(names)
        return dict.fromkeys(names)

    def _quota_answer(self, request: Any) -> Any:
        if isinstance(request, DescribeClientQuotasRequest):
            entries = [
                SimpleNamespace(
                    entity=[SimpleNamespace(entity_name=user)],
                    values=[SimpleNamespace(key=key, value=value) for key, value in limits.items()],
                )
                for user, limits in self.quotas.items()
            ]
            return SimpleNamespace(error_code=0, entries=entries)
        for [(_, user)], limits in request.entries:
            self.quotas.setdefault(user, {}).update({key: value for key, value, _ in limits})
        return SimpleNamespace(entries=[])


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> StubCluster:
    """A cluster of three brokers, behind every administrator that is made."""
    stub = StubCluster()
    monkeypatch.setattr(topics_admin, "KafkaAdminClient", lambda **_settings: stub)
    monkeypatch.setattr(tried_logins, "refused_logins", lambda *_: ())
    return stub


def _up(folder: Path) -> None:
    """What `casebus up` does with topics, rules and logins."""
    apply_to_cluster({"bootstrap_servers": "cluster:9092"}, 4, folder)


def test_c15_up_leaves_a_replicated_cluster_as_it_is(cluster: StubCluster, tmp_path: Path) -> None:
    """After `topics apply --replication 3` a bus that starts there lowers no setting."""
    apply(cluster, Wanted.of_bus(4, 3), tmp_path)
    _up(tmp_path)
    assert cluster.altered == []
    assert {config[IN_SYNC] for config in cluster.configs.values()} == {"2"}


def test_up_makes_a_new_bus_as_safe_as_the_cluster_allows(cluster: StubCluster, tmp_path: Path) -> None:
    """On three brokers and more a fresh bus has three replicas of everything, on one broker one."""
    _up(tmp_path)
    assert {many for _, many in cluster.topics.values()} == {3}
    single = StubCluster(brokers=1)
    assert {spec.replication for spec in Wanted.of_cluster(single).topics} == {1}


def test_a_topic_that_is_missing_gets_the_replicas_of_the_others(
    cluster: StubCluster, tmp_path: Path
) -> None:
    """A topic of a later version is as safe as those that were there before."""
    apply(cluster, Wanted.of_bus(4, 3), tmp_path)
    del cluster.topics["csrc.clue"]
    cluster.brokers = 1
    _up(tmp_path)
    assert cluster.topics["csrc.clue"] == (4, 3)


def test_c15_a_lower_count_asked_for_by_mistake_lowers_nothing(cluster: StubCluster, tmp_path: Path) -> None:
    """`topics apply` without its option keeps what a replicated cluster promises."""
    apply(cluster, Wanted.of_bus(4, 3), tmp_path)
    assert plan(cluster, Wanted.of_bus(4, 1), tmp_path).settled


def test_a_stricter_setting_of_the_operator_stays(cluster: StubCluster, tmp_path: Path) -> None:
    """Who asks for all replicas to have a record keeps that; who asks for more than there are is mended."""
    apply(cluster, Wanted.of_bus(4, 3), tmp_path)
    cluster.configs["csrc.clue"][IN_SYNC] = "3"
    cluster.configs["mps.clue"][IN_SYNC] = "4"
    assert dict(plan(cluster, Wanted.of_bus(4, 3), tmp_path).configs) == {"mps.clue": {IN_SYNC: ("4", "2")}}


def test_more_replicas_than_there_are_are_told_and_stop_no_write(
    cluster: StubCluster, tmp_path: Path
) -> None:
    """Topics with fewer replicas than asked for are named with the tool, and go on taking records."""
    apply(cluster, Wanted.of_bus(4, 1), tmp_path)
    found = plan(cluster, Wanted.of_bus(4, 3), tmp_path)
    assert found.settled
    assert {change.subject for change in found.thin} == {spec.name for spec in topics(4)}
    assert "kafka-reassign-partitions" in next(iter(found.thin)).detail


def test_plan_and_apply_find_the_cluster_of_the_connection(
    cluster: StubCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What doctor names as the remedy needs no option where connection.json is at hand."""
    asked = []

    @contextmanager
    def admin_of(known: Connection, file: Path, _why: str) -> Iterator[StubCluster]:
        asked.append((known.bootstrap_servers, file))
        yield cluster

    monkeypatch.setattr(topics_cli, "cluster_admin", admin_of)
    monkeypatch.delenv("CASEBUS_BOOTSTRAP_SERVERS", raising=False)
    file = write_connection("cluster:9092", tmp_path, tmp_path)
    monkeypatch.setenv("CASEBUS_CONNECTION", str(file))
    run = CliRunner().invoke
    assert run(topics_cli.app, ["plan"]).exit_code == 1
    assert run(topics_cli.app, ["apply"]).exit_code == 0
    planned = run(topics_cli.app, ["plan"])
    assert (planned.exit_code, "Nothing to do" in planned.stdout) == (0, True)
    del cluster.topics["csrc.clue"], cluster.topics["mps.clue"]
    assert run(topics_cli.app, ["apply"]).exit_code == 0
    assert cluster.topics["csrc.clue"] == (4, 3)
    del cluster.topics["csrc.clue"]
    assert run(topics_cli.app, ["apply", "--replication", "1"]).exit_code == 0
    assert cluster.topics["csrc.clue"] == (4, 3)
    assert {config[IN_SYNC] for config in cluster.configs.values()} == {"2"}
    assert asked == [("cluster:9092", file)] * 5
    monkeypatch.delenv("CASEBUS_CONNECTION")
    assert isinstance(run(topics_cli.app, ["plan"]).exception, UsageError)
