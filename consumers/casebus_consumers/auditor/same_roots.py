"""Compares two ledgers: the same roots at every size that the first has recorded."""

from itertools import takewhile

from casebus_schemas.evidence.merkle import Frontier
from casebus_services.ledger.ledger_database import Database

from .damage import VerifyReport
from .ledger_rows import LedgerRows, LogRow, snapshot


def recorded_sizes(database: Database) -> dict[str, int]:
    """How far each log has come, by origin: what is recorded after this is not part of a comparison."""
    with snapshot(database) as rows:
        last = {log.origin: rows.last_batch(log.log_id) for log in rows.logs()}
    return {origin: batch.end_index for origin, batch in last.items() if batch is not None}


def compare_ledgers(
    recorded: Database, rebuilt: Database, sizes: dict[str, int], report: VerifyReport
) -> int:
    """Adds to `report` each root recorded up to these sizes that the rebuilt ledger does not have.

    Gives how many were compared.
    """
    compared = 0
    with snapshot(recorded) as old, snapshot(rebuilt) as new:
        logs = {log.origin: log for log in new.logs()}
        for log in old.logs():
            size = sizes.get(log.origin, 0)
            compared += _compare_log(old, log, size, new, logs.get(log.origin), report)
    return compared


def _compare_log(
    old: LedgerRows, log: LogRow, size: int, new: LedgerRows, rebuilt: LogRow | None, report: VerifyReport
) -> int:
    frontier = Frontier()
    entries = iter(()) if rebuilt is None else new.entries(rebuilt.log_id)
    compared = 0
    for batch in takewhile(lambda batch: batch.end_index <= size, old.batches(log.log_id)):
        while frontier.size < batch.end_index and (entry := next(entries, None)) is not None:
            frontier.append(entry.leaf_hash)
        compared += 1
        if frontier.size < batch.end_index:
            found = f"{frontier.size} entries in the rebuilt ledger"
            report.add("batch", log.origin, f"size {batch.end_index}", found=found, expected="as many")
            break
        if frontier.root() != batch.root:
            found = f"root {frontier.root().hex()} in the rebuilt ledger"
            report.add(
                "batch", log.origin, f"size {batch.end_index}", found=found, expected=f"{batch.root.hex()}"
            )
    return compared
