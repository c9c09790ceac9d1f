"""Alert rules and dashboard parse, and name no metric, label or kind that is not defined."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from casebus_services.metrics.definitions import definitions

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
RULES = DEPLOY / "prometheus" / "casebus.rules.yml"
DASHBOARD = DEPLOY / "grafana" / "casebus.json"
NOT_OURS = {"up", "process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"}
OF_TARGETS = {"job", "instance", "service"}
"""Labels that Prometheus adds from its configuration."""
OWN = {sample: one for one in definitions().values() for sample in one.samples}


def alerts() -> list[dict[str, Any]]:
    """The alerts of all groups."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[tuple[str, str, str]]:
    """Title, expression and legend of everything that the dashboard draws."""
    drawn = json.loads(DASHBOARD.read_text())["panels"]
    return [(one["title"], to["expr"], to["legendFormat"]) for one in drawn for to in one["targets"]]


EXPRESSIONS = [
    *((rule["alert"], rule["expr"]) for rule in alerts()),
    *((title, expression) for title, expression, _ in panels()),
]


def selectors(node: Any) -> Iterator[Any]:
    """Every vector selector in a parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for part in ("expr", "lhs", "rhs", "param", "vector_selector"):
        if (inner := getattr(node, part, None)) is not None and not isinstance(inner, str | int | float):
            yield from selectors(inner)
    for argument in getattr(node, "args", None) or ():
        yield from selectors(argument)


def wrong(expression: str) -> list[str]:
    """Names in an expression that nobody defines."""
    found = []
    for one in selectors(promql_parser.parse(expression)):
        known = OWN.get(one.name)
        if known is None and one.name not in NOT_OURS:
            found.append(one.name)
            continue
        own = set() if known is None else {*known.labels, "le"}
        found.extend(
            f"{one.name}{{{matcher.name}}}"
            for matcher in one.matchers.matchers
            if matcher.name not in own | OF_TARGETS
        )
    return found


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_an_expression_names_what_is_defined(where: str, expression: str) -> None:
    """Each expression is one of PromQL, and every metric and label in it is told by a service."""
    assert list(selectors(promql_parser.parse(expression))), where
    assert wrong(expression) == []


@pytest.mark.parametrize(
    "expression",
    [
        "casebus_worker_lag",
        "sum(rate(casebus_router_judged_total{agent='csrc'}[5m]))",
        "1 - (time() - max(casebus_no_such_total))",
        "histogram_quantile(0.9, sum by (le) (rate(casebus_worker_batch_seconds[5m])))",
    ],
)
def test_a_name_that_nobody_tells_is_seen(expression: str) -> None:
    """A slip in a name, anywhere in an expression, fails the test above."""
    assert wrong(expression)


def test_only_counters_are_rated_and_only_they() -> None:
    """A rate or increase is taken of what only grows; a gauge is never rated."""
    for where, expression in EXPRESSIONS:
        for inner in calls(promql_parser.parse(expression), {"rate", "increase"}):
            for one in selectors(inner):
                known = OWN.get(one.name)
                assert known is None or known.kind in ("counter", "histogram"), where


def calls(node: Any, names: set[str]) -> Iterator[Any]:
    """Every call of these functions in a parsed expression."""
    if isinstance(node, promql_parser.Call) and node.func.name in names:
        yield node
    for part in ("expr", "lhs", "rhs", "param"):
        if (inner := getattr(node, part, None)) is not None and not isinstance(inner, str | int | float):
            yield from calls(inner, names)
    for argument in getattr(node, "args", None) or ():
        yield from calls(argument, names)


def test_an_alert_says_what_to_do_in_both_languages() -> None:
    """Every alert has a severity, a summary in Chinese and English, and what is to be done."""
    found = alerts()
    assert len({rule["alert"] for rule in found}) == len(found)
    for rule in found:
        said = rule["annotations"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert any("\u4e00" <= character <= "\u9fff" for character in said["summary"]), rule["alert"]
        assert said["action"]


def test_what_must_be_zero_has_an_alert() -> None:
    """Whatever definitions.yaml calls a fault wakes somebody."""
    watched = {one.name for rule in alerts() for one in selectors(promql_parser.parse(rule["expr"]))}
    assert {name for name, one in definitions().items() if "should be zero" in one.meaning.en} <= watched


def test_prometheus_itself_takes_the_files() -> None:
    """Where promtool is installed it finds nothing wrong with rules and configuration."""
    promtool = shutil.which("promtool")
    files = (
        ["rules", str(RULES)],
        ["config", "--syntax-only", str(DEPLOY / "prometheus" / "prometheus.yml")],
    )
    assert yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["rule_files"] == [
        RULES.name
    ]
    for what in files if promtool else ():
        done = subprocess.run([promtool, "check", *what], capture_output=True, text=True)  # type: ignore[list-item]
        assert done.returncode == 0, done.stdout + done.stderr
