"""Rows of work in the background: what was asked, how far it is, what it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from casebus_consumers.desk.jobs import DONE, FAILED, Job
from casebus_consumers.desk.words import Count, all_texts
from casebus_schemas.times import to_datetime

from .names import case_name, witness_name
from .terms import Shade

if TYPE_CHECKING:
    from casebus_consumers.desk.asked import Asked

_MOST = 20


@dataclass(frozen=True, slots=True)
class JobRow:
    """One piece of work: `percent` while it is under way, `lines` it found, `failed` what does not hold."""

    job: Job
    title: str
    about: str
    at: datetime
    state: Shade
    percent: int | None
    doing: str
    lines: Sequence[str]
    failed: Sequence[str]
    size: str


def row_of(job: Job, asked: "Asked") -> JobRow:
    """A row in words."""
    w = asked.words
    percent = None
    if not job.is_over:
        percent = 100 * job.done // job.of if job.of else 0
    key = f"jobs.doing_{job.doing}"
    doing = w(key) if key in all_texts() else ""
    return JobRow(
        job,
        w(f"jobs.kind_{job.kind}"),
        _about(job, asked),
        to_datetime(job.at_ms),
        _state(job, asked),
        percent,
        doing,
        list(_lines(job, asked)),
        list(_failed(job, asked)),
        "" if job.size is None else _size(job.size),
    )


def _about(job: Job, asked: "Asked") -> str:
    w, chain = asked.words, job.asked.get("chain")
    case = asked.glance.cases.get(str(chain))
    called = "" if case is None else case_name(case, w)
    if job.kind == "event":
        return w.gap.join(part for part in (w.title(job.asked["type"]), called) if part)
    if job.kind == "absence":
        types = w.listed([w.title(type) for type in job.asked["types"]])
        until = w.time(datetime.fromisoformat(job.asked["until"].replace("Z", "+00:00")))
        return w("jobs.silence", agency=w.agency(job.asked["by"]), types=types, until=until, case=called)
    return called


def _state(job: Job, asked: "Asked") -> Shade:
    w = asked.words
    if job.state == FAILED:
        return Shade(w("jobs.failed"), "danger")
    if job.state != DONE:
        return Shade(w(f"jobs.{job.state}"), "accent")
    ok = job.found.get("ok")
    if ok is None:
        return Shade(w("jobs.done"), "accent")
    if ok:
        return Shade(w("jobs.holds"), "accent")
    if job.found.get("finding") == "tail not confirmed":
        return Shade(w("jobs.tail_open"), "warning")
    return Shade(w("jobs.does_not_hold"), "danger")


def _lines(job: Job, asked: "Asked") -> list[str]:
    w, found = asked.words, job.found
    if job.problem:
        return [job.problem[w.language]]
    if job.state != DONE:
        return []
    lines = []
    if job.kind == "verify":
        lines.append(
            w(
                "jobs.looked_at",
                entries=Count(found["entries"]),
                epochs=Count(found["epochs"]),
                signatures=Count(found["signatures"]),
                seconds=found["seconds"],
            )
        )
        if found["under"] is None:
            lines.append(w("jobs.no_key"))
        if found["damages"]:
            lines.append(w("jobs.damages", n=Count(found["damages"])))
        return lines
    if found.get("epoch"):
        lines.append(w("jobs.in_epoch", n=Count(found["epoch"])))
    if found.get("witnesses"):
        lines.append(w("jobs.cosigned", names=w.listed([witness_name(one, w) for one in found["witnesses"]])))
    if found.get("left_out"):
        lines.append(w("jobs.left_out", n=Count(found["left_out"])))
    if found.get("ok") is None:
        lines.append(w("jobs.not_judged"))
    return lines


def _failed(job: Job, _asked: "Asked") -> list[str]:
    return [] if job.found.get("ok") else [str(one) for one in job.found.get("failed") or ()][:_MOST]


def _size(size: int) -> str:
    for unit, of in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= of:
            return f"{size / of:.1f} {unit}"
    return f"{size} B"
