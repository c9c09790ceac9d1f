"""What the bus's operator sees at the desk: the facts of page and doctor, in one language at a time."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from casebus_consumers.desk.operation import Cell, Operating, Section, count, disk_cell, moment
from casebus_consumers.desk.shown.key_rows import key_rows
from casebus_consumers.desk.words import Words
from casebus_deploy.status_page.folder import LEAST_FREE_GB
from casebus_deploy.status_page.status import ServiceStatus, Status
from casebus_producers.config import KafkaLogin
from casebus_producers.keys.keys_reader import read_keyring
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Connection
from casebus_schemas.errors import BusError
from casebus_schemas.times import to_datetime

from .examined import Examined

EXAMINED_EVERY_S = 60.0
"""The doctor tries every login: once a minute, while somebody looks."""
_OF_A_SERVICE = ("service", "state", "lag", "last", "batch", "restarts")
_SHADES = {"ok": "accent", "stale": "warning", "stopped": "danger", "ended": "danger", "down": "danger"}
_MARKS = {"ok": "accent", "warn": "warning", "bad": "danger"}


class BusOperation:
    """Of the bus in a folder. `read` gives what the status page shows, `examine` what the doctor says."""

    def __init__(
        self,
        connection: Connection,
        read: Callable[[], Status],
        examine: Callable[[], Sequence[Examined]],
    ) -> None:
        self._connection = connection
        self._read = read
        self._examine = examine
        self._lock = threading.Lock()
        self._examined: tuple[Examined, ...] | None = None
        self._keyring: Keyring | None = None
        self._examined_at = 0.0
        self._examining = False

    def look(self, w: Words) -> Operating:
        """As it is now; the doctor's words are of the last minute."""
        self._look_closer()
        status = self._read()
        examined = self._examined
        bad = [one for one in examined or () if one.state == "bad"]
        well = status.ready and not bad
        ill = len(bad) or sum(one.state != "ok" for one in status.services) or 1
        return Operating(
            well,
            w("operate.all_well") if well else w("operate.something_ails", n=ill),
            to_datetime(int(status.at * 1_000)),
            [
                Section(
                    "services",
                    [w(f"operate.{name}") for name in _OF_A_SERVICE],
                    [self._service(one, w) for one in status.services],
                    note=w(f"operate.broker_{'up' if status.broker_up else 'away'}", at=status.broker),
                    empty=w("operate.services_empty"),
                ),
                self._doctor(examined, w),
                self._heads(status, w),
                self._keys(w),
                Section(
                    "disk",
                    [w("operate.what"), w("operate.state")],
                    list(self._disk(status, w)),
                ),
                _lines("denials", status.denials, w),
                _lines("logins", status.failed_logins, w),
                _lines("held_back", status.held_back, w),
                Section(
                    "topics",
                    [w("operate.topic"), w("operate.records")],
                    [[Cell(name), count(end)] for name, end in status.topics if end],
                    empty=w("operate.topics_empty"),
                ),
            ],
        )

    # --- within ------------------------------------------------------------------------------------------

    def _service(self, one: ServiceStatus, w: Words) -> list[Cell]:
        said = [*(f"{place}: {why}" for place, why in one.stopped), *([one.reason] if one.reason else [])]
        said += [f"{number:,} {what}" for what, number in one.counts]
        last = None if one.last_batch_at is None else to_datetime(int(one.last_batch_at * 1_000))
        return [
            Cell(one.name),
            Cell(w(f"operate.state_{one.state}"), _SHADES[one.state], "\n".join(said)),
            count(one.lag),
            moment(last, w),
            count(one.last_batch_records),
            Cell(f"{one.restarts:,}", "warning" if one.restarts else "", number=True),
        ]

    def _doctor(self, examined: Sequence[Examined] | None, w: Words) -> Section:
        columns = [w("operate.what"), w("operate.state"), w("operate.found")]
        if examined is None:
            return Section("doctor", columns, [], empty=w("operate.examining"))
        rows = [
            [
                Cell(one.name),
                Cell(w(f"operate.mark_{one.state}"), _MARKS[one.state]),
                Cell(one.found, small=one.mend or ""),
            ]
            for one in sorted(examined, key=lambda one: ("bad", "warn", "ok").index(one.state))
            if one.state != "ok"
        ]
        ok = sum(one.state == "ok" for one in examined)
        note = w("operate.doctor_note", n=ok)
        return Section("doctor", columns, rows, note=note, empty=w("operate.doctor_empty"))

    def _heads(self, status: Status, w: Words) -> Section:
        columns = [w("operate.witness"), w("operate.state"), w("operate.size")]
        if status.cosigning is None:
            return Section("heads", columns, [], empty=w("operate.heads_empty"))
        rows = [
            [
                Cell(one["witness"]),
                Cell(w("operate.withheld"), "warning", w("operate.since", at=one["withheld_since"]))
                if one["withheld_since"]
                else Cell(w("operate.cosigned"), "accent"),
                count(one["size"]),
            ]
            for one in status.cosigning["witnesses"]
        ]
        split = status.cosigning["split_views"]
        note = (
            w("operate.split", n=len(split))
            if split
            else w(
                "operate.heads_note",
                newest=_number(status.cosigning["size"]),
                provisional=_number(status.cosigning["provisional"]),
                final=_number(status.cosigning["final"]),
            )
        )
        return Section("heads", columns, rows, note=note, empty=w("operate.heads_empty"))

    def _keys(self, w: Words) -> Section:
        columns = [w("operate.key"), w("operate.use"), w("operate.from"), w("operate.until")]
        if self._keyring is None:
            return Section("keys", columns, [], empty=w("operate.keys_unknown"))
        rows = key_rows(self._keyring.entries.values(), w, whose=True)
        return Section("keys", columns, rows, empty=w("operate.keys_none"))

    def _disk(self, status: Status, w: Words) -> Iterator[list[Cell]]:
        if status.disk is not None:
            free = disk_cell(status.disk.free_gb, LEAST_FREE_GB, w)
            yield [Cell(w("operate.volume"), small=status.disk.folder), free]
        last = status.backup
        if last is None:
            none = Cell(w("operate.backup_none"), "warning", w("operate.backup_how"))
            yield [Cell(w("operate.backup")), none]
            return
        keys = w("operate.backup_keys") if last.keys else w("operate.backup_no_keys")
        said = w("operate.backup_files", n=last.files)
        yield [
            Cell(w("operate.backup"), small=last.folder),
            Cell(w.time(to_datetime(int(last.at * 1_000))), small=f"{said}{w.gap}{keys}"),
        ]

    def _look_closer(self) -> None:
        """Has the doctor look in a thread of its own, if that is due."""
        with self._lock:
            fresh = time.monotonic() - self._examined_at < EXAMINED_EVERY_S
            if self._examining or (fresh and self._examined is not None):
                return
            self._examining = True
        threading.Thread(target=self._run_doctor, name="doctor", daemon=True).start()

    def _run_doctor(self) -> None:
        try:
            self._examined = tuple(self._examine())
            self._keyring = read_keyring(KafkaLogin.read(OPERATOR, self._connection), Catalog.load())
        except BusError as error:
            self._examined = (*(self._examined or ()), Examined("doctor", "bad", error.detail))
        finally:
            with self._lock:
                self._examining, self._examined_at = False, time.monotonic()


def _lines(name: str, lines: Sequence[str], w: Words) -> Section:
    rows = [[Cell(line)] for line in lines]
    note, empty = w("operate.newest_first"), w(f"operate.{name}_empty")
    return Section(name, [w("operate.line")], rows, note=note, empty=empty)


def _number(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"
