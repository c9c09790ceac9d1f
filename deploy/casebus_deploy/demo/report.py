"""The outcome of a demo: named checks and figures, as records.md 6 writes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, and what was found."""

    name: str
    ok: bool
    detail: str

    @classmethod
    def of(cls, name: str, problems: Sequence[str], fine: str) -> "Check":
        """Holds if there are no problems; otherwise says the first few of them."""
        if not problems:
            return cls(name, True, fine)
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        return cls(name, False, "; ".join(problems[:5]) + more)


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in milliseconds of `count` measurements, None where nothing was measured."""

    p50: float | None
    p99: float | None
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Latency":
        """Nearest-rank percentiles."""
        if not values:
            return cls(None, None, 0)
        ordered = sorted(values)
        return cls(_rank(ordered, 0.50), _rank(ordered, 0.99), len(ordered))

    def to_json(self) -> dict[str, float | None]:
        """As in records.md 6."""
        return {"p50": self.p50, "p99": self.p99}


@dataclass(slots=True)
class Report:
    """What a demo found. `ok` only if every check holds."""

    checks: list[Check] = field(default_factory=list)
    events: int = 0
    notices: int = 0
    refused: int = 0
    entries: int = 0
    logs: int = 0
    obligations: int = 0
    findings: list[str] = field(default_factory=list)
    inbox: Latency = field(default_factory=lambda: Latency.of([]))
    ledger: Latency = field(default_factory=lambda: Latency.of([]))
    seconds: float = 0.0
    final: str | None = None
    """The final checkpoint over all that was entered, with its cosignatures."""

    @property
    def ok(self) -> bool:
        """Whether all checks hold."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """The object of records.md 6."""
        return {
            "ok": self.ok,
            "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in self.checks],
            "events": self.events,
            "notices": self.notices,
            "refused": self.refused,
            "ledger": {"entries": self.entries, "logs": self.logs},
            "obligations": self.obligations,
            "findings": self.findings,
            "latency_ms": {"inbox": self.inbox.to_json(), "ledger": self.ledger.to_json()},
            "seconds": round(self.seconds, 1),
        }

    def figures(self) -> list[tuple[str, str]]:
        """The same for a person."""
        return [
            ("事件 events", f"{self.events}, 拒收 refused {self.refused}"),
            ("通知 notices", str(self.notices)),
            ("账本 ledger", f"{self.entries} entries in {self.logs} logs"),
            ("期限 obligations", str(self.obligations)),
            ("差异 findings", ", ".join(self.findings) or "none"),
            ("延迟 publish → inbox", _shown(self.inbox)),
            ("延迟 publish → ledger", _shown(self.ledger)),
            ("用时 seconds", f"{self.seconds:.1f}"),
        ]


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def _shown(latency: Latency) -> str:
    if latency.p50 is None or latency.p99 is None:
        return "not measured"
    return f"p50 {latency.p50:.0f} ms, p99 {latency.p99:.0f} ms ({latency.count})"
