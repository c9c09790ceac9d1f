"""What a verified proof of consistency says, in lines for a person, in both languages, and as JSON."""

from collections.abc import Iterator
from typing import Any

from casebus_schemas.evidence.receipt_check import ProvenGrowth

from .verified_words import checkpoint_json, witness_lines


def growth_json(result: ProvenGrowth) -> dict[str, Any]:
    """`proven`, `problem`, the newer checkpoint, size of the older one, whether a receipt was signed."""
    return {
        "proven": result.problem is None,
        "problem": result.problem,
        **checkpoint_json(result.verdict, None),
        "old_size": None if result.old is None else result.old.size,
        "receipt_signed": result.signed,
    }


def growth_lines(result: ProvenGrowth) -> Iterator[str]:
    """The same in lines."""
    if result.problem is not None or result.old is None:
        yield f"未能证明 NOT PROVEN: {result.problem}"
        return
    found = growth_json(result)
    yield f"已证明 proven: 账本只增未改 {found['ledger']} of size {found['size']} extends {found['old_size']}"
    yield from witness_lines(result.verdict)
