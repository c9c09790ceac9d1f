"""What readers see of chains, obligations and findings: pure functions, and thin readers of the tables."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from casebus_schemas.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.law import Answer, Reading, Sentence, standing
from casebus_schemas.law.calendar import beijing_text

from .as_of import AsOf, possession, sight
from .book import KEPT_RULES
from .chain import ChainEvent, milliseconds, moment
from .database import Database, Transaction
from .findings import canonical
from .fold import Folded
from .links import reused_across
from .rows import EVENTS_TOLD, SHARED_IDS, known_event, stored_event
from .rules import reconcile

EVERYTHING = AsOf()


def case_view(
    events: Iterable[ChainEvent], now: datetime, *, asked: AsOf = EVERYTHING, why: bool = False
) -> dict[str, Any]:
    """A chain as `casebus case` shows it: state by suspect and charge, accounts, clocks, findings.

    `asked` limits what is seen, and is then part of the answer. `why` adds the history of each charge, the
    reason for each event's place, and what was left out. Raises UsageError if nothing is seen.
    """
    found = sight(events, asked)
    now = asked.at(now)
    meaning = reconcile(found.seen, asked.law_of)
    if not meaning.folded.order:
        raise UsageError(
            "nothing is known of that chain",
            found=f"{len(found.left_out)} events left out",
            expected="an event that was known then",
            remedy="a later --as-of or --known-at, or another --level",
        )
    accounts = json.loads(canonical(meaning.accounts))
    if not why:
        for suspect in accounts["suspects"]:
            for charge in suspect["charges"]:
                del charge["history"]
    view = {
        **accounts,
        "at": beijing_text(now),
        "obligations": [duty.to_json(now) for duty in meaning.duties],
        "findings": [finding.to_json() for finding in meaning.findings(now)],
        "hash": meaning.hash.hex(),
    }
    if (question := asked.to_json()) is not None:
        view["as_of"] = question
    if why:
        view["why"] = [_place(event, meaning.folded) for event in meaning.folded.order]
        if asked.known_by is not None:
            had = possession([*found.seen, *(event for event, _ in found.left_out)], asked.known_by)
            for line in view["why"]:
                line["had"] = had[bytes.fromhex(line["event"])]
        view["left_out"] = [
            {"event": event.digest.hex(), "type": event.type, "reason": reason}
            for event, reason in sorted(found.left_out, key=lambda pair: pair[0].sort_key)
        ]
    return view


def _place(event: ChainEvent, folded: Folded) -> dict[str, Any]:
    """Why an event stands where it stands and what became of it."""
    request = folded.request_of(event)
    reasons = {
        "answers": request.digest if request else None,
        "corrects": event.corrects,
        "withdraws": event.withdraws,
        "follows": event.prev if event.prev in folded.by_digest else None,
    }
    return {
        "event": event.digest.hex(),
        "type": event.type,
        "after": {name: digest.hex() for name, digest in reasons.items() if digest is not None},
        "otherwise": "by time and digest",
        "corrected_by": [digest.hex() for digest in folded.superseded.get(event.digest, ())],
        "withdrawn_by": folded.withdrawn[event.digest].hex() if event.digest in folded.withdrawn else None,
        "admitted_at": beijing_text(event.admitted_at),
    }


def state_of(body: dict[str, Any], now: datetime, moot_at: datetime | None) -> str:
    """The state of an obligation's JSON at a time: computed when read, only announcements are stored."""
    nothing = Sentence("", "")
    readings = [
        Reading(r["name"], datetime.fromisoformat(r["due"]), nothing, r.get("provisional", False))
        for r in body["readings"]
    ]
    answer = _answer(body["met"])
    moot = Answer(moot_at, moot_at) if moot_at else None
    return standing(now, readings, met=answer, moot=moot)


def _answer(met: dict[str, str] | None) -> Answer | None:
    if met is None:
        return None
    return Answer(datetime.fromisoformat(met["by_claim"]), datetime.fromisoformat(met["provably"]))


class AccountsReader:
    """Reads the accounts database; writes nothing and keeps no writer waiting."""

    def __init__(self, url: str, catalog: Catalog | None = None) -> None:
        """Raises UsageError if the database does not exist."""
        self._database = Database(url, read_only=True)
        self._catalog = catalog or Catalog.load()

    def close(self) -> None:
        """Closes the connections."""
        self._database.close()

    def chains(self) -> list[dict[str, Any]]:
        """Every chain with its state and how many events it has."""
        with self._database.reading() as transaction:
            rows = transaction.rows("SELECT chain, status, events, hash FROM recon_chain ORDER BY chain")
        return [
            {"chain": row[0], "status": row[1], "events": row[2], "hash": bytes(row[3]).hex()} for row in rows
        ]

    def events(self, chain: str) -> list[ChainEvent]:
        """The admitted events of a chain in the order of admission."""
        with self._database.reading() as transaction:
            rows = transaction.rows(f"{EVENTS_TOLD} WHERE chain = ? ORDER BY bus_offset", (chain,))
        return [stored_event(self._catalog, row) for row in rows]

    def case(
        self, chain: str, now: datetime, *, asked: AsOf = EVERYTHING, why: bool = False
    ) -> dict[str, Any]:
        """`case_view` of a chain. Raises UsageError if it is unknown."""
        events = self.events(chain)
        if not events:
            raise UsageError(
                "no such chain", found=chain, remedy="see `casebus findings` or the inbox for chains"
            )
        view = case_view(events, now, asked=asked, why=why)
        # Repeats and broken streams are seen at arrival, not in the events.
        watched = [body for rule in sorted(KEPT_RULES) for body in self.findings(chain=chain, rule=rule)]
        known = {line["event"] for line in view["events"]}
        watched.extend(self._across(chain))
        seen = [
            body
            for body in watched
            if datetime.fromisoformat(body["opened_at"]) <= asked.at(now)
            and any(account["event"] in known for account in body["accounts"])
        ]
        return {**view, "findings": [*view["findings"], *seen]}

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

        `agency` owes or is owed; `due_before` bounds `due_earliest`.
        """
        where, parameters = _where(chain=chain)
        if due_before is not None:
            where.append("due_earliest_ms < ?")
            parameters.append(milliseconds(due_before))
        with self._database.reading() as transaction:
            columns, order = "body, moot_ms, state", "due_earliest_ms, id"
            rows = _select(transaction, columns, "recon_obligation", where, parameters, order)
        found = []
        for text, moot_ms, stored in rows:
            body = json.loads(text)
            if stored != "moot":
                body["state"] = state_of(body, now, None if moot_ms is None else moment(moot_ms))
            if agency not in (None, body["owed_by"], *body["owed_to"]):
                continue
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
        """Findings as in records.md 5, the oldest first. `agency` has an account in it or should act."""
        where, parameters = _where(chain=chain, rule=rule)
        with self._database.reading() as transaction:
            rows = _select(transaction, "body", "recon_finding", where, parameters, "opened_ms, id")
        bodies = [json.loads(row[0]) for row in rows]
        if rule in (None, "R04"):
            bodies.extend(self._across(chain))
            bodies.sort(key=lambda body: datetime.fromisoformat(body["opened_at"]))
        return [
            body
            for body in bodies
            if (not states or body["state"] in states) and (agency is None or agency in concerned(body))
        ]

    def _across(self, chain: str | None) -> list[dict[str, Any]]:
        """Findings across chains, computed when read; those that concern a chain or all."""
        where, parameters = "", []
        if chain is not None:
            where = " AND event_id IN (SELECT event_id FROM recon_event WHERE chain = ?)"
            parameters.append(chain)
        with self._database.reading() as transaction:
            rows = transaction.rows(SHARED_IDS + where, parameters)
        return [found.to_json() for found in reused_across(known_event(row) for row in rows)]

    def hash(self) -> str:
        """SHA-256 over all chains and their hashes: equal for the same signed events, however they came."""
        return sha256(canonical([[c["chain"], c["hash"]] for c in self.chains()])).hexdigest()


def concerned(body: dict[str, Any]) -> set[str]:
    """Agencies that have an account in a finding or should act on it."""
    suggestion = body["suggestion"]
    return {account["agency"] for account in body["accounts"]} | ({suggestion["by"]} if suggestion else set())


def _where(**equal: str | None) -> tuple[list[str], list[Any]]:
    given = {name: value for name, value in equal.items() if value is not None}
    return [f"{name} = ?" for name in given], list(given.values())


def _select(
    transaction: Transaction, columns: str, table: str, where: list[str], parameters: list[Any], order: str
) -> list[Any]:
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return transaction.rows(f"SELECT {columns} FROM {table}{condition} ORDER BY {order}", parameters)
