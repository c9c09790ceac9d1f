"""Starts a bus's own Kafka under its supervisor: one node, or a cluster of several."""

from collections.abc import Callable
from pathlib import Path

from casebus_deploy.embedded.broker import NAME, BrokerPorts, EmbeddedBroker
from casebus_deploy.embedded.cluster import LAYOUT, EmbeddedCluster, nodes_of

from .options import StackOptions
from .supervisor import Supervisor

EmbeddedKafka = EmbeddedBroker | EmbeddedCluster

MOST_STARTS = 3
"""What ends so often before all is ready will not stay up."""
_KEPT = {"delete.topic.enable": "false"}
"""What a topic holds was said, and is evidence: nobody deletes one, not by mistake and not as super user."""
_FURTHER_PORTS = 11
"""Behind the ports of a bus with one node stand those of the other nodes, three each."""


def start_kafka(
    folder: Path,
    options: StackOptions,
    supervisor: Supervisor,
    ports: Callable[[int, int], list[int]],
    say: Callable[[str], None],
) -> EmbeddedKafka:
    """Runs it and returns when clients can log in; `ports` gives so many from the n-th of the bus's own.

    A cluster starts where most of its nodes do, and `say` is told of the others. Raises BrokerUnavailable if
    it does not come up, UsageError if the folder holds a Kafka of another number of nodes.
    """
    nodes = options.nodes or nodes_of(folder) or 1
    if nodes > 1 or (folder / LAYOUT).exists():
        return _start_cluster(folder, nodes, options, supervisor, ports, say)
    remembered = (folder / "ports.json").exists()
    chosen = None if remembered and options.port_base is None else BrokerPorts(*ports(0, 3))
    broker = EmbeddedBroker(folder, chosen, tls=options.tls, properties=_KEPT)
    supervisor.run(broker.prepare())
    kept = supervisor[NAME]
    broker.wait_until_ready(lambda: kept.state().restarts < MOST_STARTS)
    return broker


def _start_cluster(
    folder: Path,
    nodes: int,
    options: StackOptions,
    supervisor: Supervisor,
    ports: Callable[[int, int], list[int]],
    say: Callable[[str], None],
) -> EmbeddedCluster:
    firsts = [0, *range(_FURTHER_PORTS, _FURTHER_PORTS + 3 * (nodes - 1), 3)]
    chosen = None if options.port_base is None else [BrokerPorts(*ports(first, 3)) for first in firsts]
    cluster = EmbeddedCluster(folder, nodes, chosen, properties=_KEPT)
    supervisor.run(*cluster.prepare())
    away = cluster.wait_until_ready(lambda name: supervisor[name].state().restarts >= MOST_STARTS)
    if away:
        say(f"节点缺席 nodes of Kafka that do not serve: {', '.join(away)}")
    return cluster
