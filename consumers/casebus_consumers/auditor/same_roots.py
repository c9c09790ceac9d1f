"""Compares two ledgers: the same roots at every size that the first has recorded."""

from casebus_schemas.merkle import Frontier
from casebus_services.ledger.database import Database

from .damage import VerifyReport
from .ledger_rows import LedgerRows, LogRow, snapshot


def compare_ledgers(recorded: Database, rebuilt: Database, report: VerifyReport) -> int:
    """Adds to `report` each recorded root that the rebuilt ledger does not have.

    Gives how many were compared.
    """
    compared = 0
    with snapshot(recorded) as old, snapshot(rebuilt) as new:
        logs = {log.origin: log for log in new.logs()}
        for log in old.logs():
            compared += _compare_log(old, log, new, logs.get(log.origin), report)
    return compared


def _compare_log(
    old: LedgerRows, log: LogRow, new: LedgerRows, rebuilt: LogRow | None, report: VerifyReport
) -> int:
    frontier = Frontier()
    entries = iter(()) if rebuilt is None else new.entries(rebuilt.log_id)
    compared = 0
    for batch in old.batches(log.log_id):
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
