"""Reads chains, obligations and findings from the accounts database; writes nothing."""

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from casebus_schemas.admission.verdict import Origin
from casebus_schemas.case.accounts import event_line
from casebus_schemas.case.as_of import AsOf
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.duty_said import with_latest
from casebus_schemas.case.insiders import Insider, insiders_of
from casebus_schemas.case.shares import computed
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.absence_check import STREAM_HEAD
from casebus_schemas.law.calendar import Calendar
from casebus_schemas.rules.case_view import EVERYTHING, case_view, state_of, status_known_to
from casebus_schemas.rules.reasons import finding_reasons
from casebus_schemas.rules.running import made_at_arrival
from casebus_schemas.rules.sight import home
from casebus_schemas.times import beijing_text, to_datetime, to_moment
from casebus_schemas.wire.json_text import canonical
from casebus_schemas.wire.records import TopicPartition
from casebus_services.reconciler.chain_events import events_of
from casebus_services.reconciler.entered_notices import entered_calendars
from casebus_services.reconciler.reading import Reading, open_reading
from casebus_services.reconciler.rows import (
    OUTLINES,
    SET_ASIDE,
    known_event,
    set_aside_of,
)
from casebus_services.reconciler.set_aside import reason_of

from .case_names import CaseNames, names_of
from .case_reader import MOST_MEANT
from .event_texts import in_words
from .stored_findings import across, as_seen_by, entered, equal, read, select, shows
from .unshowable import not_readable

_EVENTS_AND_ADMISSIONS = (
    "FROM recon_event e JOIN recon_admission a "
    "ON a.bus_partition = e.bus_partition AND a.bus_offset = e.bus_offset"
)
_CHAINS = "SELECT chain, status, events, hash FROM recon_chain"
_NO_HEADS = f"e.type <> '{STREAM_HEAD}'"
_SAYS_MORE = f"EXISTS (SELECT 1 FROM recon_event e WHERE e.chain = recon_chain.chain AND {_NO_HEADS})"
_OF_AGENCY = "(e.source = ? OR e.source LIKE ? OR ',' || a.recipients LIKE ?)"


class AccountsReader:
    """Reads the accounts database; writes nothing and keeps no writer waiting."""

    def __init__(self, url: str, catalog: Catalog | None = None) -> None:
        """Raises UsageError if the database does not exist."""
        self._database: Reading = open_reading(url)
        self._catalog = catalog or Catalog.load()

    def close(self) -> None:
        """Closes the connections."""
        self._database.close()

    def chains(self, agency: str | None = None) -> list[dict[str, Any]]:
        """Every chain with its state and how many events it has; to an agency both by what it was told.

        Threads in which agencies only state where their streams end are left out.
        """
        if agency is not None:
            return self._chains_of(agency)
        with self._database.reading() as transaction:
            rows = transaction.rows(f"{_CHAINS} WHERE {_SAYS_MORE} ORDER BY chain")
        held = {one["chain"]: one for one in self.set_aside()}
        return [
            {
                "chain": row[0],
                "status": row[1],
                "events": row[2],
                "hash": bytes(row[3]).hex(),
                "set_aside": held.get(row[0]),
            }
            for row in rows
        ]

    def _chains_of(self, agency: str) -> list[dict[str, Any]]:
        with self._database.reading() as transaction:
            rows = transaction.rows(
                f"SELECT e.chain, count(*) {_EVENTS_AND_ADMISSIONS} WHERE {_OF_AGENCY} "
                f"AND {_NO_HEADS} GROUP BY e.chain ORDER BY e.chain",
                _as_agency(agency),
            )
        return [
            {
                "chain": row[0],
                "status": self._status_known_to(agency, row[0]),
                "events": row[1],
                "hash": None,
                "set_aside": None,
            }
            for row in rows
        ]

    def _status_known_to(self, agency: str, chain: str) -> str | None:
        try:
            return status_known_to(self.events(chain), agency)
        except Exception:  # noqa: BLE001 - a case that cannot be computed is listed, `case CHAIN` says why
            return None

    def chains_like(self, beginning: str, agency: str | None = None) -> list[str]:
        """The ids of chains that begin so and of which an agency may see something, at most `MOST_MEANT`."""
        plain = beginning.lower().replace("%", "").replace("_", "")
        return self._of_events("e.chain LIKE ?", (f"{plain}%",), agency, MOST_MEANT) if plain else []

    def chains_saying(self, text: str, agency: str | None = None) -> list[str]:
        """The ids of chains of which some event's bytes hold a text, at most `MOST_MEANT`.

        Those in which the agency itself said it come first: others decide how many there are besides.
        """
        return self._of_events(self._database.holds, (text.encode(),), agency, MOST_MEANT) if text else []

    def insiders(self, code: str, until: datetime, market: str | None = None) -> list[Insider]:
        """Who had events of chains about a security before `until`, chain by chain."""
        chains = self._of_events(self._database.holds, (code.encode(),), None, None)
        return [one for chain in chains for one in insiders_of(self.events(chain), code, until, market)]

    def _of_events(
        self,
        condition: str,
        parameters: tuple[Any, ...],
        agency: str | None,
        most: int | None,
    ) -> list[str]:
        told = order = ""
        whose: tuple[str, ...] = ()
        if agency is not None:
            told = f" AND {_OF_AGENCY}"
            order = "max(CASE WHEN e.source = ? OR e.source LIKE ? THEN 1 ELSE 0 END) DESC, "
            whose = _as_agency(agency)
        query = (
            f"SELECT e.chain {_EVENTS_AND_ADMISSIONS} WHERE {condition}{told} GROUP BY e.chain "
            f"ORDER BY {order}e.chain"
        )
        if most is not None:
            query = f"{query} LIMIT {most}"
        with self._database.reading() as transaction:
            return [row[0] for row in transaction.rows(query, (*parameters, *whose, *whose[:2]))]

    def set_aside(self) -> list[dict[str, Any]]:
        """Every chain that the program could not compute: since when, why, how many events it holds."""
        with self._database.reading() as transaction:
            held = [set_aside_of(row) for row in transaction.rows(f"{SET_ASIDE} ORDER BY since_ms, chain")]
            count = "SELECT count(*) FROM recon_event WHERE chain = ?"
            return [
                {
                    "chain": one.chain,
                    "since": beijing_text(one.since),
                    "reason": one.reason,
                    "program": one.program,
                    "events": transaction.rows(count, (one.chain,))[0][0],
                }
                for one in held
            ]

    def admitted_later(self) -> set[Origin]:
        """Records that were refused at first and have been admitted since."""
        query = "SELECT topic, partition, koffset FROM recon_admission WHERE attempt > 1 AND verdict = ?"
        with self._database.reading() as transaction:
            return {Origin(*row) for row in transaction.rows(query, ("admitted",))}

    def next_offsets(self) -> dict[TopicPartition, int]:
        """Up to where `bus.admission` is taken in, partition by partition."""
        with self._database.reading() as transaction:
            rows = transaction.rows("SELECT partition, next_offset FROM recon_partition")
        return {TopicPartition(ADMISSION, row[0]): row[1] for row in rows}

    def calendar(self, now: datetime) -> Calendar:
        """The days off and make-up days by which the bus counts at a time."""
        with self._database.reading() as transaction:
            return entered_calendars(transaction).at(now)

    def events(self, chain: str) -> list[ChainEvent]:
        """The admitted events of a chain that are computed, in the order of admission."""
        with self._database.reading() as transaction:
            return computed(events_of(transaction, self._catalog, chain))

    def case(
        self, chain: str, now: datetime, *, asked: AsOf = EVERYTHING, why: bool = False
    ) -> dict[str, Any]:
        """`case_view` of a chain, and whether it is set aside. Raises UsageError if it is unknown.

        Where it cannot be computed at all, what was computed last stands in its place.
        """
        held = next((one for one in self.set_aside() if one["chain"] == chain), None)
        try:
            events = self.events(chain)
            if not events:
                raise UsageError(
                    "no such chain", found=chain, remedy="see `casebus findings` or the inbox for chains"
                )
            calendar = self.calendar(now)
            view = {**case_view(events, now, asked=asked, why=why, calendar=calendar), "set_aside": held}
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: an officer is told, not a programmer
            return self._as_it_was(
                chain, now, asked.known_by, held or {"since": None, "reason": reason_of(error)}
            )
        # Repeats and broken streams are seen at arrival, not in the events.
        with self._database.reading() as transaction:
            own, unread = read(entered(transaction, chain), asked.known_by)
            linked, unread_links = read(across(transaction, chain), asked.known_by)
        watched = [*filter(made_at_arrival, own), *linked]
        known = {line["event"] for line in view["events"]}
        seen = [
            found.to_json()
            for found in as_seen_by(asked.known_by, watched)
            if found.opened_at <= asked.at(now) and shows(found, known)
        ]
        if why:
            visible = [event for event in events if event.digest.hex() in known]
            seen = [{**one, "why": finding_reasons(one, visible)} for one in seen]
        return {
            **view,
            "events": in_words(events, view["events"]),
            "findings": [*view["findings"], *seen, *unread, *unread_links],
            "names": names_of(events, asked.known_by).to_json(),
        }

    def _as_it_was(
        self, chain: str, now: datetime, agency: str | None, held: dict[str, Any]
    ) -> dict[str, Any]:
        """A chain that cannot be computed, in the form of `case_view`."""
        with self._database.reading() as transaction:
            rows = transaction.rows("SELECT status, hash FROM recon_chain WHERE chain = ?", (chain,))
            outlines = transaction.rows(f"{OUTLINES} WHERE chain = ? ORDER BY bus_offset", (chain,))
        status, digest = rows[0] if rows else (None, b"")
        events = [known_event(row) for row in outlines]
        return {
            "chain": chain,
            "status": status,
            "security": None,
            "suspects": [],
            "agencies": {},
            "amounts": [],
            "tracks": {},
            "events": [event_line(event) for event in events if agency is None or agency in event.audience],
            "at": beijing_text(now),
            "obligations": self.obligations(now, chain=chain, agency=agency),
            "findings": self.findings(chain=chain, agency=agency),
            "hash": bytes(digest).hex(),
            "set_aside": held,
            "names": CaseNames().to_json(),
        }

    def obligations(
        self,
        now: datetime,
        *,
        agency: str | None = None,
        chain: str | None = None,
        states: Sequence[str] = (),
        due_before: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Obligations as in records.md 5 with their state at `now`, the earliest due first.

        `agency` owes or is owed, and sees what it may see; `due_before` bounds `due_earliest`. A row that
        cannot be read stands as `not_readable` says.
        """
        where, parameters = equal(chain=chain)
        if due_before is not None:
            where.append("due_earliest_ms < ?")
            parameters.append(to_moment(due_before))
        with self._database.reading() as transaction:
            columns, order = "id, chain, rule, body, moot_ms, state", "due_earliest_ms, id"
            rows = select(transaction, columns, "recon_obligation", where, parameters, order)
        found = []
        for id, of, rule, text, moot_ms, stored in rows:
            try:
                body = _at(with_latest(json.loads(text)), stored, moot_ms, now)
            except Exception as error:  # noqa: BLE001 - a row that cannot be read is named, the rest is shown
                found.append(not_readable(id, of, rule, error, agency))
                continue
            sight = body.pop("sight")
            if agency is not None:
                if (
                    agency not in map(home, (body["owed_by"], *body["owed_to"]))
                    or agency not in sight["told"]
                ):
                    continue
                if agency not in sight["answer_told"]:
                    body["met"] = None
            if not states or body["state"] in states:
                found.append(body)
        return found

    def findings(
        self,
        *,
        agency: str | None = None,
        chain: str | None = None,
        states: Sequence[str] = (),
        rule: str | None = None,
    ) -> list[dict[str, Any]]:
        """Findings as in records.md 5, the oldest first; those that concern an agency as it may see them.

        Rows that cannot be read stand at the end as `not_readable` says, whatever their state.
        """
        with self._database.reading() as transaction:
            rows = entered(transaction, chain, rule)
            if chain is not None:
                rows = sorted([*rows, *across(transaction, chain, rule)], key=lambda row: row.opened_ms)
        found, unread = read(rows, agency)
        shown = as_seen_by(agency, found)
        return [*(one.to_json() for one in shown if not states or one.state in states), *unread]

    def hash(self) -> str:
        """SHA-256 over all chains and their hashes: equal for the same signed events, however they came."""
        with self._database.reading() as transaction:
            rows = transaction.rows(f"{_CHAINS} ORDER BY chain")
        return sha256(canonical([[row[0], bytes(row[3]).hex()] for row in rows])).hexdigest()


def set_aside(url: str | None) -> list[dict[str, Any]]:
    """The chains that are set aside in an accounts database. Raises BusError if it cannot be read."""
    if url is None:
        return []
    reader = AccountsReader(url)
    try:
        return reader.set_aside()
    finally:
        reader.close()


def _at(duty: dict[str, Any], stored: str, moot_ms: int | None, now: datetime) -> dict[str, Any]:
    """A stored duty with its state at `now`; one that was moot when it was stored stays so."""
    if stored != "moot":
        duty["state"] = state_of(duty, now, None if moot_ms is None else to_datetime(moot_ms))
    return duty


def _as_agency(agency: str | None) -> tuple[str, ...]:
    """The parameters of `_OF_AGENCY`."""
    return () if agency is None else (f"/{agency}", f"/{agency}/%", f"%,{agency}:%")
