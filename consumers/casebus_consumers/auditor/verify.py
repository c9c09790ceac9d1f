"""Verifies a whole ledger from its tables alone: every row against the rows that depend on it."""

import time
from collections.abc import Callable
from hashlib import sha256

from casebus_schemas.catalogue.catalog import Catalog
from casebus_services.ledger.database import Database

from .damage import VerifyReport
from .drop_orders import drop_orders
from .epoch_check import Trusted, check_epochs
from .ledger_rows import LedgerRows, snapshot
from .log_check import LogCheck
from .retention import Retention

Watch = Callable[[str, int, int], None]
"""Progress for a person: what is being read, how much is done, how much there is."""

_UNUSED_NAMED = 20


def unwatched(_what: str, _done: int, _of: int) -> None:
    """Progress nobody looks at."""


def verify_ledger(
    database: Database, watch: Watch = unwatched, trusted: Trusted | None = None
) -> VerifyReport:
    """Checks all logs, payloads and epochs as they are at one instant; names everything that is damaged.

    Finds any row that was changed, added, removed or exchanged, except a tail removed from all tables alike:
    that shows only against Kafka, or against a checkpoint kept elsewhere. `trusted` are the keys under which
    checkpoints and cosignatures are verified.
    Raises UsageError if the database holds no ledger, RetryLater if it is away.
    """
    begun = time.monotonic()
    report = VerifyReport()
    with snapshot(database) as rows:
        catalog = Catalog.load()
        orders, retention = drop_orders(rows, catalog), Retention(rows, catalog)
        report.orders = (*orders, *retention.purges())
        report.shredded = list(retention.shreddings())
        report.kept = [order for order in orders if rows.payload_length(order.value_sha256) is not None]
        _check_logs(rows, report, watch)
        _check_head(rows, report, trusted or Trusted())
        _check_payloads(rows, report, watch)
        for table in ("batch", "entry", "tile", "epoch_head"):
            for stray in rows.strays(table):
                report.add(table, None, f"log_id {stray}", found="rows", expected="a row of table log")
    report.seconds = time.monotonic() - begun
    return report


def _check_logs(rows: LedgerRows, report: VerifyReport, watch: Watch) -> None:
    logs = rows.logs()
    last = {log.log_id: rows.last_batch(log.log_id) for log in logs}
    total = sum(batch.end_index for batch in last.values() if batch is not None)
    done = 0

    def progress(more: int) -> None:
        nonlocal done
        done += more
        watch("entries", min(done, total), total)

    for log in logs:
        LogCheck(rows, log, report, progress).run()
    watch("entries", total, total)


def _check_head(rows: LedgerRows, report: VerifyReport, trusted: Trusted) -> None:
    found = rows.head_logs()
    head = found[0] if found else None
    for log in found[1:]:
        report.add(
            "log", log.origin, f"log_id {log.log_id}", found=f"kind {log.kind}", expected="one head log"
        )
    if head is not None:
        LogCheck(rows, head, report, lambda _more: None).run()
    report.log_key = None if trusted.log is None else str(trusted.log)
    check_epochs(rows, head, report, trusted)


def _check_payloads(rows: LedgerRows, report: VerifyReport, watch: Watch) -> None:
    total = rows.payload_count()
    for digest, value in rows.payloads():
        report.payloads += 1
        hashed = sha256(value).digest()
        if hashed != digest:
            users = ", ".join(rows.users_of(digest)) or "no entry"
            where = f"value_sha256 {digest.hex()} (of {users})"
            report.add(
                "payload", None, where, found=f"a value of digest {hashed.hex()}", expected=digest.hex()
            )
        if report.payloads % 1000 == 0:
            watch("payloads", report.payloads, total)
    watch("payloads", total, total)
    for digest in rows.unused_payloads(_UNUSED_NAMED):
        # A value is stored with its entry in one transaction: a removed tail leaves one without entry.
        report.add(
            "payload", None, f"value_sha256 {digest.hex()}", found="a value of no entry", expected="an entry"
        )
