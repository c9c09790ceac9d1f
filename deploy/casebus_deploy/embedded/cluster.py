"""Several nodes of Kafka on one machine, as one cluster: any one may die, and nothing stops.

Each node is broker and controller, in a process and a folder of its own: the first in the folder of a single
broker, the others beside it. Of three nodes a record is acknowledged when two have it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from casebus_schemas.errors import UsageError

from .access import KafkaAccess
from .broker import START_TIMEOUT_S, BrokerUnavailable, EmbeddedBroker, node_name, random_id
from .broker_properties import BrokerPorts, Member
from .certificates import broker_certificate
from .child import ChildSpec
from .jars import fetch
from .ports import free_ports
from .secret_files import secret, write_private

NODES = (1, 3)
"""How many nodes an embedded Kafka has: one, or as many as make a quorum that bears one loss."""
HEAP_MB = 256
LAYOUT = "cluster.json"
_POLL_S = 0.2
_FORM = 1


def node_folder(data_dir: Path, number: int) -> Path:
    """Where a node keeps everything; that of the first is the cluster's."""
    return data_dir if number == 1 else data_dir.with_name(f"{data_dir.name}-{number}")


class EmbeddedCluster(KafkaAccess):
    """Nodes of Kafka whose whole life is in `data_dir` and the folders beside it; a second object continues.

    Nodes are started and kept by a supervisor, each as the child that `prepare` describes.
    """

    def __init__(
        self,
        data_dir: Path,
        nodes: int,
        ports: Sequence[BrokerPorts] | None = None,
        *,
        tls: bool = True,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """With `tls` clients and nodes speak by TLS, in this folder ever after; `properties` as for one node.

        Raises UsageError if the folder holds a Kafka of another number of nodes.
        """
        self.data_dir = data_dir.absolute()
        self._shared = self.data_dir
        self._layout = self.data_dir / LAYOUT
        known = nodes_of(self.data_dir)
        if known not in (None, nodes):
            raise UsageError(
                f"the Kafka in {data_dir} has another number of nodes",
                found=f"{nodes} asked for",
                expected=f"{known}, as it was made",
                remedy="leave --nodes out, or start in a new folder",
            )
        self._tls = tls or self._tls_folder.exists()
        if known is None:
            self._lay_out(nodes, ports)
        layout = json.loads(self._layout.read_text(encoding="ascii"))
        places = {int(number): node for number, node in layout["nodes"].items()}
        self.nodes = tuple(
            EmbeddedBroker(
                node_folder(self.data_dir, number),
                BrokerPorts(**node["ports"]),
                heap_mb=HEAP_MB,
                properties=properties,
                tls=self._tls,
                member=Member(
                    number,
                    layout["cluster_id"],
                    {other: at["ports"]["controller"] for other, at in places.items()},
                    {other: at["directory"] for other, at in places.items()},
                    self.data_dir,
                ),
            )
            for number, node in places.items()
        )

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of every node's client listener."""
        return ",".join(node.bootstrap_servers for node in self.nodes)

    @property
    def log_dir(self) -> Path:
        """The first node's."""
        return self.nodes[0].log_dir

    @property
    def ports(self) -> BrokerPorts:
        """The first node's."""
        return self.nodes[0].ports

    def prepare(self) -> list[ChildSpec]:
        """Format fresh folders, write configurations; return what a supervisor is to run.

        Raises BrokerUnavailable if a port is taken or the storage cannot be laid out, JarsUnavailable if
        Kafka's archives are not cached and cannot be fetched.
        """
        fetch()
        # What all nodes share is there before they are made ready side by side.
        secret(self.admin_password_file)
        secret(self.data_dir / "node.password")
        if self._tls:
            broker_certificate(self._tls_folder)
        with ThreadPoolExecutor(len(self.nodes), thread_name_prefix="nodes") as threads:
            return list(threads.map(EmbeddedBroker.prepare, self.nodes))

    def wait_until_ready(self, lost: Callable[[str], bool], timeout_s: float = START_TIMEOUT_S) -> list[str]:
        """Until every node serves that is not `lost` (a node's name), and at least most; returns the lost.

        Raises BrokerUnavailable if most do not serve in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            away = [node_name(n) for n in range(1, len(self.nodes) + 1) if lost(node_name(n))]
            serving, problem = self._serving()
            if serving >= len(self.nodes) - len(away) and serving > len(self.nodes) // 2:
                return away
            late = time.monotonic() > deadline
            if late and serving > len(self.nodes) // 2:
                return away or [f"{len(self.nodes) - serving} of {len(self.nodes)}"]
            if late or len(away) > len(self.nodes) // 2:
                raise BrokerUnavailable(
                    "Kafka's nodes are not ready in time",
                    found=f"{serving} of {len(self.nodes)} serve; {problem or 'they do not answer'}",
                    expected="more than half of them",
                    remedy=f"look into {', '.join(str(node.log_dir) for node in self.nodes)}",
                )
            time.sleep(_POLL_S)

    def _serving(self) -> tuple[int, str | None]:
        """How many nodes the cluster counts among its brokers."""
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        try:
            admin = KafkaAdminClient(
                **self.admin_settings(), bootstrap_timeout_ms=3_000, request_timeout_ms=5_000
            )
            try:
                brokers = admin.describe_cluster()["brokers"]
                return sum(not broker.get("is_fenced") for broker in brokers), None
            finally:
                admin.close()
        except KafkaError as error:
            return 0, type(error).__name__

    def _lay_out(self, nodes: int, ports: Sequence[BrokerPorts] | None) -> None:
        """Chooses ports and ids, once and for ever; they are written before anything is formatted."""
        free = iter(free_ports(3 * nodes))
        chosen = ports or [BrokerPorts(next(free), next(free), next(free)) for _ in range(nodes)]
        body = {
            "form": _FORM,
            "cluster_id": random_id(),
            "nodes": {
                str(number): {"ports": asdict(place), "directory": random_id()}
                for number, place in enumerate(chosen, 1)
            },
        }
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self._layout, json.dumps(body, indent=1) + "\n")


def nodes_of(data_dir: Path) -> int | None:
    """How many nodes the Kafka in a folder has; None where there is none yet.

    Raises UsageError if its layout cannot be read.
    """
    layout = data_dir / LAYOUT
    if not layout.exists():
        return 1 if (data_dir / "server.properties").exists() else None
    try:
        return len(json.loads(layout.read_text(encoding="ascii"))["nodes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"cannot read {layout}", found=type(error).__name__, expected="what `casebus up --nodes 3` wrote"
        ) from error
