"""An agency's own programs: its door's threads, what waits to go out, what it tells, its keys and disk."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from casebus_consumers.door.door import Door
from casebus_consumers.door.webhooks.store import WebhookStore, webhooks_file
from casebus_consumers.notifier.store import NotifyStore, notify_file
from casebus_schemas.errors import BusError
from casebus_schemas.texts.errors import text_in_chinese
from casebus_schemas.times import to_datetime

from .masking import masked_text
from .operation import Cell, Operating, Section, count, disk_cell, moment, state
from .shown.key_rows import key_rows
from .words import Words

LEAST_FREE_GB = 2.0
"""A door whose disk is full takes nothing any more."""
_FILES = ("outbox.db", "own.db", "desk.db", "webhooks.db", "notify.db", "drop-folder.db")
_WAITING = "SELECT count(*), min(queued_at_ms) FROM outbox WHERE state = 'pending'"
_LAST = "SELECT max(queued_at_ms) FROM outbox"


def _said(problem: str, w: Words) -> str:
    """What a program says of its trouble; in Chinese where its words are known."""
    return (text_in_chinese(problem) or problem) if w.language == "zh" else problem


class OwnOperation:
    """Those of one agency."""

    def __init__(self, door: Door, folder: Path) -> None:
        self._door = door
        self._folder = folder

    def look(self, w: Words) -> Operating:
        """As they are now."""
        ails = self._door.ails()
        free_gb = shutil.disk_usage(self._folder).free / 1e9
        well = not ails and free_gb >= LEAST_FREE_GB
        return Operating(
            well,
            w("operate.all_well") if well else w("operate.something_ails", n=len(ails) or 1),
            to_datetime(time.time_ns() // 1_000_000),
            [
                Section(
                    "programs",
                    [w("operate.program"), w("operate.state")],
                    [
                        [
                            Cell(w(f"operate.thread_{name}")),
                            state(name not in ails, w, masked_text(_said(ails.get(name, ""), w))),
                        ]
                        for name in self._door.threads()
                    ],
                ),
                self._traffic(w),
                Section(
                    "told",
                    [w(f"operate.{name}") for name in ("address", "waiting", "sent", "failed", "last")],
                    list(self._told(w)),
                    empty=w("operate.told_empty"),
                ),
                self._keys(w),
                Section(
                    "disk",
                    [w("operate.file"), w("operate.size")],
                    [
                        [Cell(w("operate.volume")), disk_cell(free_gb, LEAST_FREE_GB, w)],
                        *(
                            [Cell(name), Cell(w("operate.mb", mb=f"{file.stat().st_size / 1e6:,.1f}"))]
                            for name in _FILES
                            if (file := self._folder / name).exists()
                        ),
                    ],
                    note=w("operate.disk_note"),
                ),
            ],
        )

    def _traffic(self, w: Words) -> Section:
        with self._door.outbox.reading() as connection:
            waiting, since = connection.execute(_WAITING).fetchone()
            (last,) = connection.execute(_LAST).fetchone()
        heard_ms = self._door.store.last_admitted_ms()
        heard_at = None if heard_ms is None else to_datetime(heard_ms)
        said_at = None if last is None else to_datetime(last)
        oldest = "" if since is None else w("operate.waits_since", at=w.time(to_datetime(since)))
        return Section(
            "traffic",
            [w("operate.way"), w("operate.waiting"), w("operate.last")],
            [
                [
                    Cell(w("operate.outbox")),
                    Cell(f"{waiting:,}", "warning" if waiting else "", oldest, number=True),
                    moment(said_at, w),
                ],
                [Cell(w("operate.inbox")), count(None), moment(heard_at, w)],
            ],
        )

    def _told(self, w: Words) -> Iterator[list[Cell]]:
        if (file := webhooks_file(self._folder)).exists():
            store = WebhookStore(file)
            for one in store.addresses():
                called = w("operate.system", name=one.name)
                yield _row(called, store.counts(one.name), one.told_at_ms, one.problem, w)
        if (file := notify_file(self._folder)).exists():
            mails = NotifyStore(file)
            for box in mails.mailboxes():
                yield _row(box.name, mails.counts(box.name), box.told_at_ms, box.problem, w)

    def _keys(self, w: Words) -> Section:
        columns = [w("operate.key"), w("operate.use"), w("operate.from"), w("operate.until")]
        try:
            entries = self._door.keyring().of(self._door.agency)
        except BusError:
            return Section("keys", columns, [], empty=w("operate.keys_unknown"))
        return Section("keys", columns, key_rows(entries, w, whose=False), empty=w("operate.keys_none"))


def _row(
    name: str, counts: dict[str, int], told_at_ms: int | None, problem: str | None, w: Words
) -> list[Cell]:
    at = None if told_at_ms is None else to_datetime(told_at_ms)
    return [
        Cell(name, small=masked_text(problem or "")),
        count(counts["waiting"]),
        count(counts["told"]),
        Cell(f"{counts['failed']:,}", "warning" if counts["failed"] else "", number=True),
        moment(at, w),
    ]
