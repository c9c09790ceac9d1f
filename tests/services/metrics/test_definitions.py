"""Metrics: each defined once, used as defined, and told nowhere unless asked for."""

import ast
import socket
import urllib.request
from pathlib import Path

import pytest

from casebus_deploy.embedded.ports import free_ports
from casebus_schemas.errors import UsageError
from casebus_services.metrics import named
from casebus_services.metrics.definitions import definitions, labels, read_definitions
from casebus_services.metrics.endpoint import read_address, serve_metrics

ROOT = Path(__file__).resolve().parents[3]
SHELVES = ("producers", "services", "consumers", "deploy")
KINDS = {"counter", "gauge", "histogram"}
GOOD = """
labels: {agency: {zh: 机关, en: an agency}}
metrics:
  casebus_things_total: {kind: counter, unit: things, of: [router], labels: [agency], zh: 数, en: things}
"""


def used() -> dict[str, str]:
    """Names of metrics that the code asks for, and as which kind."""
    found = {}
    for file in (file for shelf in SHELVES for file in (ROOT / shelf).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    found[str(name.value)] = node.func.id
    return found


def test_every_metric_is_told_and_defined() -> None:
    """The code asks for all metrics of the definitions, as the kind that they are, and for no others."""
    assert used() == {one.name: one.kind for one in definitions().values()}


def test_a_name_that_is_not_defined_is_no_metric() -> None:
    """Nobody makes up a metric beside the definitions, or takes one for another kind."""
    with pytest.raises(LookupError, match="casebus_made_up_total"):
        named.counter("casebus_made_up_total")
    with pytest.raises(LookupError, match="casebus_worker_partitions"):
        named.counter("casebus_worker_partitions")


def test_every_label_is_bound_and_used() -> None:
    """The page says of each label which values it has, and lists none that no metric carries."""
    assert {label for one in definitions().values() for label in one.labels} == set(labels())


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("things_total:", "things:"),
        ("labels: [agency]", "labels: [person]"),
        ("of: [router]", "of: [rooter]"),
        ("kind: counter", "kind: histogram"),
        ("unit: things", "unit: seconds"),
        ("zh: 数, ", ""),
        ("kind: counter", "kind: meter"),
        ("unit: things", "unit: things, buckets: [1, 2]"),
    ],
)
def test_a_definition_at_fault_is_refused(good: str, bad: str) -> None:
    """Names, units, labels and services that do not fit are said when the file is read."""
    assert set(read_definitions(GOOD)[1]) == {"casebus_things_total"}
    with pytest.raises(UsageError):
        read_definitions(GOOD.replace(good, bad))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9100", ("127.0.0.1", 9100)),
        (":9100", ("127.0.0.1", 9100)),
        ("0.0.0.0:9100", ("0.0.0.0", 9100)),
        ("[::1]:9100", ("::1", 9100)),
    ],
)
def test_a_port_alone_is_of_this_machine(text: str, expected: tuple[str, int]) -> None:
    """Others reach the metrics only where an address is named."""
    assert read_address(text) == expected


@pytest.mark.parametrize("text", ["", "nine", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """The service does not start with metrics at a place that cannot be."""
    with pytest.raises(UsageError):
        read_address(text)


def test_metrics_are_told_where_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """GET /metrics at the address gives the version and this process; a taken address is an error."""
    from prometheus_client import CollectorRegistry

    monkeypatch.setattr("casebus_services.metrics.endpoint.REGISTRY", CollectorRegistry())
    (port,) = free_ports(1)
    serve_metrics(None)
    serve_metrics("")
    with socket.socket() as free:
        free.bind(("127.0.0.1", port))  # nobody listens unless asked
    serve_metrics(str(port))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert b"process_resident_memory_bytes" in answer.read()
    monkeypatch.setattr("casebus_services.metrics.endpoint.REGISTRY", CollectorRegistry())
    with pytest.raises(UsageError, match="free address"):
        serve_metrics(f"127.0.0.1:{port}")
