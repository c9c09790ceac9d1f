"""docs/metrics.md: every metric of definitions.yaml, by service, with unit, labels and meaning."""

from casebus_schemas.catalogue.services import services
from casebus_services.metrics.definitions import EVERY, Definition, definitions, labels

_HEAD = """# 指标 Metrics

Generated from `services/casebus_services/metrics/definitions.yaml`, where each metric is defined once.

A service answers Prometheus (`GET /metrics`) only where `CASEBUS_METRICS_ADDRESS` names a port (of this
machine alone) or `address:port`; `casebus up --metrics` gives each of its services a port of this machine and
writes them to `metrics-targets.json` in its data folder, which Prometheus reads (`file_sd_configs`). There is
no password: where you name an address that others reach, let the network say who may. No metric holds
personal data, a chain, an event or anything that a stranger chose; every label is bound to what is listed
below. Beside these each process tells `process_*` and `python_gc_*` of the Prometheus client.

Alert rules, a configuration to begin with and a dashboard stand in `deploy/prometheus` and `deploy/grafana`.
"""


def metrics_page() -> str:
    """The page as the file holds it."""
    rows = "\n".join(
        f"| `{one.name}` | {one.kind} | {_unit(one)} | {_of(one)} | {_labels(one)} |" for one in _all()
    )
    meanings = "\n".join(f"| `{one.name}` | {one.meaning.zh} | {_cell(one.meaning.en)} |" for one in _all())
    bounds = "\n".join(f"| `{name}` | {said.zh} | {_cell(said.en)} |" for name, said in labels().items())
    return (
        f"{_HEAD}\n## 含义 What each means\n\n| metric | 含义 | meaning |\n|---|---|---|\n{meanings}\n"
        "\n## 形式 Kinds, units, labels\n\n| metric | kind | unit | told by | labels |\n"
        f"|---|---|---|---|---|\n{rows}\n"
        f"\n## 标签 Labels and their bounds\n\n| label | 取值 | values |\n|---|---|---|\n{bounds}\n"
    )


def _all() -> list[Definition]:
    return list(definitions().values())


def _unit(one: Definition) -> str:
    return "" if one.unit == "1" else one.unit


def _of(one: Definition) -> str:
    return "every service" if one.of == (EVERY,) else ", ".join(name for name in services() if name in one.of)


def _labels(one: Definition) -> str:
    return ", ".join(f"`{name}`" for name in one.labels)


def _cell(words: str) -> str:
    return (words[0].upper() + words[1:]).replace("|", "\\|")
