"""An embedded Kafka of several nodes: its layout is chosen once, its nodes are each other's equals."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casebus_deploy.cli.up import app
from casebus_deploy.embedded.broker_properties import BrokerPorts, Member, member_properties
from casebus_deploy.embedded.cluster import LAYOUT, EmbeddedCluster, node_folder, nodes_of
from casebus_deploy.status_page.folder import broker_lines
from casebus_schemas.errors import UsageError


def test_a_second_object_finds_the_same_cluster(tmp_path: Path) -> None:
    """Ports and ids are chosen once; the layout is its owner's alone."""
    folder = tmp_path / "broker"
    made = EmbeddedCluster(folder, 3)
    assert EmbeddedCluster(folder, 3).bootstrap_servers == made.bootstrap_servers
    assert len(set(made.bootstrap_servers.split(","))) == nodes_of(folder) == 3
    assert (made.security_protocol, made.ca_file) == ("SASL_SSL", folder / "tls" / "authority.pem")
    assert (folder / LAYOUT).stat().st_mode & 0o777 == 0o600
    assert node_folder(folder, 3) == tmp_path / "broker-3"


def test_the_number_of_nodes_stays(tmp_path: Path) -> None:
    """A folder with one node or three is never taken for another one."""
    EmbeddedCluster(tmp_path / "three", 3)
    with pytest.raises(UsageError, match="another number of nodes"):
        EmbeddedCluster(tmp_path / "three", 1)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "server.properties").touch()
    with pytest.raises(UsageError, match="another number of nodes"):
        EmbeddedCluster(tmp_path / "one", 3)
    (tmp_path / "three" / LAYOUT).write_text("{")
    with pytest.raises(UsageError, match="cannot read"):
        nodes_of(tmp_path / "three")


@pytest.mark.parametrize("asked", [["--nodes", "2"], ["--nodes", "3", "--bootstrap-servers", "kafka1:9092"]])
def test_what_cannot_be_is_refused(asked: list[str], tmp_path: Path) -> None:
    """Two nodes bear no loss; a Kafka elsewhere is not run here. Nothing is made."""
    done = CliRunner().invoke(app, [*asked, "--data", str(tmp_path / "bus")])
    assert isinstance(done.exception, UsageError)
    assert not (tmp_path / "bus").exists()


def test_nodes_speak_to_each_other_by_tls(tmp_path: Path) -> None:
    """No listener of a node is in the clear, and each record of Kafka's own has three replicas."""
    member = Member(2, "id", {1: 11, 2: 12, 3: 13}, {1: "a", 2: "b", 3: "c"}, tmp_path)
    found = member_properties(member, tmp_path / "node.pem", tmp_path / "authority.pem")
    assert "PLAINTEXT" not in found["listener.security.protocol.map"]
    factors = {name: value for name, value in found.items() if name.endswith("replication.factor")}
    assert len(factors) == 4
    assert set(factors.values()) == {"3"}
    assert found["min.insync.replicas"] == "2"
    assert member.voters == "1@127.0.0.1:11:a,2@127.0.0.1:12:b,3@127.0.0.1:13:c"


def test_ports_are_as_told(tmp_path: Path) -> None:
    """Who names ports gets these."""
    ports = [BrokerPorts(3 * n, 3 * n + 1, 3 * n + 2) for n in range(500, 503)]
    made = EmbeddedCluster(tmp_path / "broker", 3, ports)
    assert made.bootstrap_servers == "127.0.0.1:1500,127.0.0.1:1503,127.0.0.1:1506"
    layout = json.loads((tmp_path / "broker" / LAYOUT).read_text())
    assert layout["nodes"]["3"]["ports"]["controller"] == 1508


def test_refused_accesses_of_all_nodes_are_shown(tmp_path: Path) -> None:
    """The newest first, whichever node refused."""
    for folder, lines in {"broker": ("01 a", "03 c"), "broker-2": ("02 b", "04 d")}.items():
        log = tmp_path / folder / "log" / "denials.log"
        log.parent.mkdir(parents=True)
        log.write_text("\n".join(lines) + "\n")
    assert broker_lines(tmp_path, "denials.log", 3) == ("04 d", "03 c", "02 b")
