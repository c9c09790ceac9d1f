"""Verifies a whole ledger from its tables alone: every row against the rows that depend on it."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from hashlib import sha256

from casebus_schemas.catalogue.catalog import Catalog
from casebus_services.ledger.ledger_database import Database

from .damage import VerifyReport
from .drop_orders import DropOrder, drop_orders
from .epoch_check import Trusted, check_epochs
from .ledger_rows import LedgerRows, LogRow, snapshot
from .log_check import STEP, LogCheck
from .processes import processors
from .retention import Retention
from .shared_work import NoHelp, Part, helpers

Watch = Callable[[str, int, int], None]
"""Progress for a person: what is being read, how much is done, how much there is."""

WORTH_PROCESSES = 300_000
"""Entries from which on all processors are used: what the start of two processes takes, a second or two."""
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
        _check_logs_and_payloads(database, rows, report, watch)
        _check_head(rows, report, trusted or Trusted())
        _check_unused(rows, report)
        for table in ("batch", "entry", "tile", "epoch_head"):
            for stray in rows.strays(table):
                report.add(table, None, f"log_id {stray}", found="rows", expected="a row of table log")
    report.seconds = time.monotonic() - begun
    return report


def _check_logs_and_payloads(
    database: Database, rows: LedgerRows, report: VerifyReport, watch: Watch
) -> None:
    """Here, or on all processors where there is much to do."""
    logs = rows.logs()
    sizes = [batch.end_index if (batch := rows.last_batch(log.log_id)) else 0 for log in logs]
    progress = Progress(watch, entries=sum(sizes), payloads=rows.payload_count())
    if sum(sizes) >= WORTH_PROCESSES and (count := processors()) > 1:
        with suppress(NoHelp):
            # The longest logs first, so that no processor waits long for the end.
            order = sorted(range(len(logs)), key=lambda at: -sizes[at])
            parts: list[Part] = [partial(_check_log, logs[at], report.orders) for at in order]
            kinds = ["entries"] * len(parts)
            for first, end in _shares(*rows.payload_range(), 4 * count):
                parts.append(partial(_check_payloads, first, end))
                kinds.append("payloads")
            with helpers(database, rows, count) as processes:
                parts_done = processes.do(parts, lambda part, more: progress.more(kinds[part], more))
            of_logs = dict(zip(order, parts_done, strict=False))
            for done in (*(of_logs[at] for at in range(len(logs))), *parts_done[len(logs) :]):
                report.take(done)
            progress.end()
            return
    for log in logs:
        _check_log(log, report.orders, rows, report, partial(progress.more, "entries"))
    _check_payloads(*rows.payload_range(), rows, report, partial(progress.more, "payloads"))
    progress.end()


class Progress:
    """What is done of entries and payloads, for who watches."""

    def __init__(self, watch: Watch, **of: int) -> None:
        self._watch = watch
        self._of = of
        self._done = dict.fromkeys(of, 0)

    def more(self, what: str, more: int) -> None:
        """So many more are done."""
        self._done[what] = min(self._done[what] + more, self._of[what])
        self._watch(what, self._done[what], self._of[what])

    def end(self) -> None:
        """All of it is done."""
        for what, of in self._of.items():
            self._watch(what, of, of)


def _shares(first: int, end: int, count: int) -> Iterator[tuple[int, int]]:
    """The range in so many parts, or fewer."""
    step = max(1, -(-(end - first) // count))
    for at in range(first, end, step):
        yield at, min(at + step, end)


def _check_log(
    log: LogRow,
    orders: tuple[DropOrder, ...],
    rows: LedgerRows,
    report: VerifyReport,
    progress: Callable[[int], None],
) -> None:
    report.orders = orders
    LogCheck(rows, log, report, progress).run()


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


def _check_payloads(
    first: int, end: int, rows: LedgerRows, report: VerifyReport, progress: Callable[[int], None]
) -> None:
    count = 0
    for digest, value in rows.payloads(first, end):
        count += 1
        hashed = sha256(value).digest()
        if hashed != digest:
            users = ", ".join(rows.users_of(digest)) or "no entry"
            where = f"value_sha256 {digest.hex()} (of {users})"
            found = f"a value of digest {hashed.hex()}"
            report.add("payload", None, where, found=found, expected=digest.hex())
        if count % STEP == 0:
            progress(STEP)
    report.payloads += count


def _check_unused(rows: LedgerRows, report: VerifyReport) -> None:
    for digest in rows.unused_payloads(_UNUSED_NAMED):
        # A value is stored with its entry in one transaction: a removed tail leaves one without entry.
        where = f"value_sha256 {digest.hex()}"
        report.add("payload", None, where, found="a value of no entry", expected="an entry")
