"""The bus's dead letters at its operator's desk: refused records, chains set aside, key events ignored."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from uuid import UUID

from casebus_consumers.accounts_reader import AccountsReader
from casebus_consumers.desk.dead_letters import Foreseen, Letter, Looked
from casebus_consumers.desk.masking import masked_text
from casebus_consumers.desk.shown.event_facts import Fact, facts_of
from casebus_consumers.desk.shown.refusals import refusal_in_words, remedy_of
from casebus_consumers.desk.words import Words
from casebus_consumers.liaison.dead_letters import DeadLetter, one_dead_letter, parse_dead_letter
from casebus_consumers.liaison.said_since import said_since
from casebus_deploy.status_page.folder import heartbeats_in
from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import OPERATOR, dead_letter
from casebus_schemas.connection import Connection
from casebus_schemas.errors import SECRET_CODES, BusError
from casebus_schemas.times import to_datetime

from .operations import Operator

LOOK_S = 2.0
MOST = 5_000
"""Refused records that are kept in memory, the newest; the command line lists all."""


class BusLetters:
    """Those of the bus whose connection.json is named. Orders go out under the operator's key."""

    def __init__(self, file: Path, connection: Connection) -> None:
        self._file = file
        self._connection = connection
        self._login = KafkaLogin.read(OPERATOR, connection)
        self._catalog = Catalog.load()
        self._lock = threading.Lock()
        self._reader: TopicReader | None = None
        self._records: dict[Origin, DeadLetter] = {}
        self._ordered: dict[tuple[Origin, int], tuple[str, datetime]] = {}
        self._looked_at = 0.0

    def kinds(self) -> Sequence[str]:
        """What the bus keeps."""
        return ("record", "chain", "key")

    def all(self, w: Words) -> list[Letter]:
        """All of them, newest first. Raises BusError where Kafka or the accounts are away."""
        self._look()
        admitted = self._admitted()
        found = [self._of_record(one, w) for place, one in self._records.items() if place not in admitted]
        found += [*self._chains(w), *self._keys(w)]
        return sorted(found, key=lambda one: (one.at is None, one.at and -one.at.timestamp(), one.key))

    def look(self, letter: Letter, w: Words, *, content: bool) -> Looked:
        """A refused record: headers by name, and the event with personal data masked."""
        if letter.kind != "record":
            return Looked([Fact(w("letters.place"), [letter.place]), Fact(w("letters.code"), [letter.code])])
        known = self._records[_origin(letter)]
        whole = one_dead_letter(self._login, known.agency, known.seq)
        body = whole.to_json(self._catalog)
        technical = [
            Fact(w("letters.code"), [whole.code]),
            Fact(w("letters.sender"), [w.agency(whole.agency)]),
            Fact(w("letters.place"), [str(whole.origin)]),
            Fact(w("letters.attempts"), [str(whole.attempt)]),
            Fact(w("letters.chain"), [masked_text(str(body["event"]["chain"] or "–"))]),
            Fact(w("letters.digest"), [body["event"]["digest"] or "–"]),
        ]
        if whole.digests:
            return Looked(technical, note=w("letters.note_secret"))
        if body["readable"] is None:
            return Looked(technical, note=w("letters.note_unreadable"))
        return Looked(technical, facts_of(body["readable"], w, open=False))

    def foresee(self, letters: Sequence[Letter], w: Words) -> Mapping[str, Foreseen]:
        """Whether the bus would judge or compute each again, and whether it would be a repeat."""
        return {one.key: self._foreseen(one, w) for one in letters}

    def drive_again(
        self, letters: Sequence[Letter], reason: str, by: str, w: Words
    ) -> Mapping[str, Foreseen]:
        """Orders it on bus.command, one signed event each, with the reason and who gave it."""
        found = {}
        reasons = f"{reason} ({by})"
        operator = Operator.connect(self._file)
        with closing(operator):
            for one in letters:
                if one.kind == "chain":
                    offset = operator.recompute(UUID(one.id), reasons)
                else:
                    place = _origin(one)
                    attempt = self._records[place].attempt + 1
                    offset = operator.redrive(place, attempt, reasons)
                    with self._lock:
                        self._ordered[place, attempt] = (by, to_datetime(time.time_ns() // 1_000_000))
                found[one.key] = Foreseen(True, w("letters.ordered_by", place=f"bus.command/0/{offset}"))
        return found

    # --- within ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Reads what was refused since the last look."""
        with self._lock:
            if time.monotonic() - self._looked_at < LOOK_S:
                return
            try:
                if self._reader is None:
                    self._reader = TopicReader(self._login, [dead_letter(agency) for agency in MEMBERS])
                for record in self._reader.read_to(self._reader.ends()):
                    letter = parse_dead_letter(record)
                    before = self._records.pop(letter.origin, None)
                    newest = letter if before is None or letter.attempt >= before.attempt else before
                    # Its bytes are read again when somebody looks at it.
                    self._records[letter.origin] = newest
                    while len(self._records) > MOST:
                        del self._records[next(iter(self._records))]
            except BusError:
                if self._reader is not None:
                    self._reader.close()
                self._reader = None
                self._records.clear()
                raise
            self._looked_at = time.monotonic()

    def _admitted(self) -> set[Origin]:
        url = self._connection.databases.get("accounts")
        if url is None:
            return set()
        with closing(AccountsReader(url)) as reader:
            return reader.admitted_later()

    def _of_record(self, one: DeadLetter, w: Words) -> Letter:
        event = one.summary()["event"]
        known = event["type"] in self._catalog.types
        ordered = self._ordered.get((one.origin, one.attempt + 1))
        return Letter(
            "record",
            str(one.origin),
            one.at,
            f"{w.short(one.agency)}{w.colon}{w.title(event['type']) if known else w('letters.an_event')}",
            str(one.origin),
            refusal_in_words(one.code, one.detail, w),
            remedy_of(one.code, w),
            one.code,
            one.attempt,
            masked_text(one.detail),
            again=one.code not in SECRET_CODES and ordered is None,
            ordered="" if ordered is None else w("letters.ordered", by=ordered[0], at=w.time(ordered[1])),
        )

    def _chains(self, w: Words) -> Iterator[Letter]:
        from casebus_consumers.accounts_reader import set_aside

        for one in set_aside(self._connection.databases.get("accounts")):
            since = datetime.fromisoformat(one["since"])
            yield Letter(
                "chain",
                one["chain"],
                since,
                w("letters.a_chain", n=one["events"]),
                one["chain"],
                w("letters.cause_chain", reason=masked_text(one["reason"])),
                w("letters.remedy_chain"),
                one["program"],
                again=True,
            )

    def _keys(self, w: Words) -> Iterator[Letter]:
        for name, beat in heartbeats_in(self._file.parent).items():
            for place in beat.get("ignored_keys", ()):
                cause, remedy = w("letters.cause_key", service=name), w("letters.remedy_key")
                yield Letter("key", str(place), None, w("letters.a_key"), str(place), cause, remedy, name)

    def _foreseen(self, one: Letter, w: Words) -> Foreseen:
        if one.ordered:
            return Foreseen(False, one.ordered)
        if one.kind == "chain":
            return Foreseen(True, w("letters.would_chain"))
        if not one.again:
            return Foreseen(False, w("letters.never" if one.code in SECRET_CODES else "letters.not_here"))
        known = self._records[_origin(one)]
        url = self._connection.databases.get("accounts")
        said = None if url is None else said_since(url, known)
        if said is not None:
            return Foreseen(True, w("letters.would_repeat", digest=said.digest.hex()[:16]))
        return Foreseen(True, w("letters.would_record", n=str(known.attempt + 1)))


def _origin(letter: Letter) -> Origin:
    return Origin.parse(letter.id)
