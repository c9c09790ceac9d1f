"""What a verified proof of absence says, in lines for a person, in both languages, and as JSON."""

from collections.abc import Iterator
from typing import Any

from casebus_schemas.evidence.absence_check import AbsenceReport

from .verified_words import checkpoint_json, checkpoint_lines, time_text

_FINDINGS = {
    "proven": "已证明未曾发言 PROVEN: it said nothing of the kind",
    "tail not confirmed": "尾部未经其确认 TAIL NOT CONFIRMED: nothing of the kind is in the ledger; "
    "the agency has not confirmed its own end",
    "not proven": "未能证明 NOT PROVEN",
}
NOT_SHOWN = (
    "其他渠道的通信 messages by other channels",
    "滞留于其发件箱的记录 records still in the agency's outbox, unless its end is confirmed",
    "其他案件链中的答复 answers under another chain",
    "事后补记的日期 events dated back later",
)
"""What no proof of absence shows."""


def absence_json(report: AbsenceReport) -> dict[str, Any]:
    """`finding`, the claim, why it is not proven or its tail open, and what was looked at."""
    claim = report.claim
    return {
        "finding": report.finding,
        "claim": None if claim is None else claim.to_json(),
        **checkpoint_json(report.verdict, report.epoch),
        "problems": report.problems,
        "said": report.said,
        "said_later": report.later,
        "tail": report.tail,
        "logs": report.logs,
        "entries": report.entries,
        "opened": report.opened,
        "not_covered": [*report.notes, *NOT_SHOWN],
    }


def absence_lines(report: AbsenceReport) -> Iterator[str]:
    """The same in lines."""
    if report.claim is not None:
        claim = report.claim
        yield f"案件链 chain {claim.chain}: {claim.agency}, {', '.join(claim.types)}"
        yield f"  截至 before {time_text(claim.until_ms)}"
    if report.epoch is not None:
        yield from checkpoint_lines(report.verdict, report.epoch)
    yield f"  {report.entries} entries in {len(report.logs)} logs, {report.opened} of the chain"
    for place in report.said:
        yield f"已发言 said: {place}"
    for place in report.later:
        yield f"期后发言 said after the deadline: {place}"
    for why in report.problems:
        yield f"未通过 FAILED: {why}"
    for why in report.tail:
        yield f"尾部 tail: {why}"
    for what in (*report.notes, *NOT_SHOWN):
        yield f"未涵盖 not covered: {what}"
    yield _FINDINGS[report.finding]
