"""The configuration of the embedded Kafka node."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .ports import free_ports

ADMIN = "admin"
_NODE = "node"


@dataclass(frozen=True, slots=True)
class BrokerPorts:
    """The three listeners of the node on 127.0.0.1."""

    client: int
    internal: int
    controller: int

    @classmethod
    def free(cls) -> Self:
        """Three ports on which nothing listens now."""
        return cls(*free_ports(3))


@dataclass(frozen=True, slots=True)
class Member:
    """What one node of a cluster knows of all: its number, from 1, and where each node's controller is.

    `controllers` are the controllers' ports, `directories` the ids of the nodes' storage, by number; `shared`
    is the folder of what all have in common: passwords and certificates.
    """

    number: int
    cluster_id: str
    controllers: Mapping[int, int]
    directories: Mapping[int, str]
    shared: Path

    @property
    def voters(self) -> str:
        """The first controllers, as Kafka's storage tool wants them."""
        return ",".join(
            f"{number}@127.0.0.1:{port}:{self.directories[number]}"
            for number, port in self.controllers.items()
        )


def server_properties(
    data_dir: Path, ports: BrokerPorts, node_password: str, certificate: Path | None = None
) -> dict[str, str]:
    """What server.properties holds for one node that is broker and controller.

    Clients log in by SCRAM, over TLS where there is a `certificate` (PEM, its private key first); the node's
    own listeners use PLAIN, since controllers cannot bootstrap on SCRAM.
    """
    plain = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="{_NODE}" password="{node_password}" user_{_NODE}="{node_password}";'
    )
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{ports.controller}",
        "listeners": f"CLIENT://127.0.0.1:{ports.client},INTERNAL://127.0.0.1:{ports.internal},"
        f"CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{ports.client},INTERNAL://127.0.0.1:{ports.internal}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "INTERNAL",
        **_client_tls(certificate),
        "listener.security.protocol.map": f"CLIENT:{'SASL_SSL' if certificate else 'SASL_PLAINTEXT'},"
        "INTERNAL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.client.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram."
        "ScramLoginModule required;",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.internal.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.internal.plain.sasl.jaas.config": plain,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": plain,
        "super.users": f"User:{ADMIN};User:{_NODE}",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "auto.create.topics.enable": "false",
        "log.dirs": str(data_dir / "kafka"),
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "offsets.topic.num.partitions": "3",
        "transaction.state.log.num.partitions": "3",
        # One year: an auditor's group that rests over a long case must not start anew.
        "offsets.retention.minutes": "525600",
        # What clients can make the node hold is bounded well below its heap of 384 MB, before they have
        # logged in too. The largest request of ours is a batch of 1 MiB records.
        "socket.request.max.bytes": str(8 << 20),
        "queued.max.request.bytes": str(64 << 20),
        "queued.max.requests": "100",
        "sasl.server.max.receive.size": str(64 << 10),
        # All clients come from loopback, so a limit by address would be one for all of them. The node's own
        # listeners keep what the clients' listener cannot take.
        "max.connections": "2000",
        "listener.name.client.max.connections": "1900",
        "listener.name.client.max.connection.creation.rate": "100",
        "connections.max.idle.ms": "600000",
        "num.network.threads": "2",
        "num.io.threads": "2",
        "log.cleaner.threads": "1",
        # The cleaner's default buffer is 128 MB of heap for one small compacted topic.
        "log.cleaner.dedupe.buffer.size": "8388608",
        "group.initial.rebalance.delay.ms": "0",
        # After signal 9 the node waits until its old session has expired.
        "broker.session.timeout.ms": "6000",
    }


def _client_tls(certificate: Path | None) -> dict[str, str]:
    if certificate is None:
        return {}
    return {
        "listener.name.client.ssl.keystore.type": "PEM",
        "listener.name.client.ssl.keystore.location": str(certificate),
        "listener.name.client.ssl.enabled.protocols": "TLSv1.3,TLSv1.2",
        "listener.name.client.ssl.client.auth": "none",
    }


def member_properties(member: Member, certificate: Path | None, authority: Path | None) -> dict[str, str]:
    """What differs for one node of three or more: Kafka's own topics have three replicas, as the bus's have.

    With a `certificate` the nodes speak to each other by TLS too, and know each other by `authority`.
    """
    found = {
        "node.id": str(member.number),
        "controller.quorum.bootstrap.servers": ",".join(
            f"127.0.0.1:{port}" for port in member.controllers.values()
        ),
        "default.replication.factor": "3",
        "min.insync.replicas": "2",
        "offsets.topic.replication.factor": "3",
        "transaction.state.log.replication.factor": "3",
        "transaction.state.log.min.isr": "2",
        "share.coordinator.state.topic.replication.factor": "3",
        "share.coordinator.state.topic.min.isr": "2",
    }
    if certificate is None or authority is None:
        return found
    found["listener.security.protocol.map"] = "CLIENT:SASL_SSL,INTERNAL:SASL_SSL,CONTROLLER:SASL_SSL"
    for listener in ("internal", "controller"):
        found |= {
            f"listener.name.{listener}.ssl.keystore.type": "PEM",
            f"listener.name.{listener}.ssl.keystore.location": str(certificate),
            f"listener.name.{listener}.ssl.truststore.type": "PEM",
            f"listener.name.{listener}.ssl.truststore.location": str(authority),
            f"listener.name.{listener}.ssl.enabled.protocols": "TLSv1.3,TLSv1.2",
        }
    return found
