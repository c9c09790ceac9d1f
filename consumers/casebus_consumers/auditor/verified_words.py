"""What a verified proof or bundle says, in lines for a person, in both languages, and as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from casebus_schemas.evidence.bundle_check import BundleReport
from casebus_schemas.evidence.bundle_coverage import ADMISSION_TOPIC
from casebus_schemas.evidence.bundle_reader import ShownEntry
from casebus_schemas.evidence.epoch import EpochLeaf
from casebus_schemas.evidence.event_proof import ProvenEvent
from casebus_schemas.evidence.leaf import LeafFields, decode_headers
from casebus_schemas.evidence.trust_policy import Verdict

_SHOWN_HEADERS = ("ce_type", "ce_id", "ce_source", "ce_time")


def proof_json(result: ProvenEvent) -> dict[str, Any]:
    """`proven`, `problem`, then where the entry stands, what its leaf says, who cosigned."""
    leaf, proof = result.leaf, result.proof
    return {
        "proven": result.proven,
        "problem": result.problem,
        **checkpoint_json(result.verdict, proof.epoch if result.proven else None),
        "log": proof.head.origin,
        "index": proof.index,
        "entry": None if leaf is None else _leaf(leaf),
        "headers": _headers(proof.headers),
    }


def proof_lines(result: ProvenEvent) -> Iterator[str]:
    """The same in lines."""
    if result.problem is not None:
        yield f"未能证明 NOT PROVEN: {result.problem}"
        return
    proof = result.proof
    yield f"已证明 proven: 条目 entry {proof.index} of {proof.head.origin}"
    yield from checkpoint_lines(result.verdict, proof.epoch)
    assert result.leaf is not None
    for name, value in _leaf(result.leaf).items():
        yield f"  {name}: {value}"
    for name, value in _headers(proof.headers).items():
        yield f"  {name}: {value}"


def bundle_json(report: BundleReport) -> dict[str, Any]:
    """`ok`, `failed`, `not_covered`, the checkpoint, and the entries with the bus's verdict on each event."""
    return {
        "ok": report.ok,
        "failed": report.failed,
        "not_covered": report.not_covered,
        "chain": report.about.get("chain"),
        **checkpoint_json(report.verdict, report.epoch),
        "entries": [_entry(entry, report) for entry in report.entries],
        "key_events": len(report.key_entries),
        "signatures": report.signatures,
        "covered": [one._asdict() for one in report.covered],
    }


def bundle_lines(report: BundleReport) -> Iterator[str]:
    """The same in lines: the case, what failed, what is not covered."""
    yield f"案件链 chain: {report.about.get('chain')}"
    if report.epoch is not None:
        yield from checkpoint_lines(report.verdict, report.epoch)
    for entry in report.entries:
        if entry.leaf.topic == ADMISSION_TOPIC:
            continue
        found = _entry(entry, report)
        by_bus = entry.leaf.topic.startswith("bus.")
        verdict = found["verdict"] or ("总线所言 the bus's" if by_bus else "无裁定 no verdict")
        content = "只有摘要 hash only" if entry.withheld else "内容在内 with content"
        yield f"  {found['place']}  {found['time']}  {found['type']}  {verdict}  {content}"
    yield f"签名 signatures: {report.signatures}; 密钥事件 key events: {len(report.key_entries)}"
    for one in report.covered:
        if one.problem is None:
            since = "" if one.since_ms is None else f" since {time_text(one.since_ms)}"
            yield f"无遗漏 nothing left out of {one.topic}{since}: {one.looked_at} leaves"
    for what in report.failed:
        yield f"未通过 FAILED: {what}"
    for what in report.not_covered:
        yield f"未涵盖 not covered: {what}"
    yield (
        "全部通过 verified"
        if report.ok
        else f"{len(report.failed)} 项未通过 failed: 不可采信 do not rely on it"
    )


def checkpoint_json(verdict: Verdict | None, epoch: EpochLeaf | None) -> dict[str, Any]:
    """Ledger, size and root of a checkpoint, who cosigned it when, and the epoch in it."""
    checkpoint = None if verdict is None else verdict.checkpoint
    cosigned = {} if verdict is None else verdict.witnesses
    return {
        "ledger": None if checkpoint is None else checkpoint.origin,
        "size": None if checkpoint is None else checkpoint.size,
        "root": None if checkpoint is None else checkpoint.root.hex(),
        "witnesses": {name: time_text(at * 1000) for name, at in cosigned.items()},
        "epoch": None if epoch is None else epoch.number,
        "sealed_at": None if epoch is None else time_text(epoch.sealed_at_ms),
    }


def checkpoint_lines(verdict: Verdict | None, epoch: EpochLeaf) -> Iterator[str]:
    """The same in lines."""
    found = checkpoint_json(verdict, epoch)
    yield f"  账本 ledger {found['ledger']}"
    yield f"  封存期 epoch {found['epoch']}, 封存于 sealed {found['sealed_at']}"
    yield from witness_lines(verdict)


def witness_lines(verdict: Verdict | None) -> Iterator[str]:
    """Who cosigned a checkpoint, and when."""
    for name, at in checkpoint_json(verdict, None)["witnesses"].items():
        yield f"  联署 cosigned by {name} at {at}"


def _leaf(leaf: LeafFields) -> dict[str, Any]:
    return {
        "place": f"{leaf.topic}/{leaf.partition}/{leaf.offset}",
        "time": time_text(leaf.timestamp_ms),
        "key_sha256": None if leaf.key_sha256 is None else leaf.key_sha256.hex(),
        "value_sha256": None if leaf.value_sha256 is None else leaf.value_sha256.hex(),
        "value_length": leaf.value_length,
    }


def _headers(encoded: bytes | None) -> dict[str, str]:
    try:
        headers = dict(reversed(decode_headers(encoded or bytes(4))))
    except ValueError:
        return {}
    return {
        name: (headers[name] or b"").decode("utf-8", "replace") for name in _SHOWN_HEADERS if name in headers
    }


def _entry(entry: ShownEntry, report: BundleReport) -> dict[str, Any]:
    verdict = report.verdicts.get(entry.place)
    shown = {
        name: (entry.record.header(name) or b"").decode("utf-8", "replace")
        for name in _SHOWN_HEADERS
        if entry.record.header(name) is not None
    }
    return {
        **_leaf(entry.leaf),
        "type": shown.get("ce_type"),
        "id": shown.get("ce_id"),
        "source": shown.get("ce_source"),
        "said_at": shown.get("ce_time"),
        "content": "hash" if entry.withheld else "payload",
        "verdict": None if verdict is None else verdict.verdict,
        "code": None if verdict is None else verdict.code,
    }


def time_text(time_ms: int) -> str:
    """A time in milliseconds since 1970, as UTC."""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return f"{time_ms} ms since 1970"


def fingerprint_of(raw: bytes) -> str:
    """SHA-256 of a file in hexadecimal, by which two people can compare what they have."""
    return sha256(raw).hexdigest()
