"""An agency's own dead letters: what the bus refused, what its door could not tell, fetch, take or read."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from casebus_consumers.door.attachments.store import INFECTED
from casebus_consumers.door.door import Door
from casebus_consumers.door.files.store import DropStore, folder_file
from casebus_consumers.door.webhooks.store import WebhookStore, webhooks_file
from casebus_consumers.notifier.store import NotifyStore, notify_file
from casebus_producers.own_events import own_events
from casebus_schemas.admission.receipts import receipt_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import SECRET_CODES
from casebus_schemas.times import to_datetime
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.door import to_json

from .dead_letters import Foreseen, Letter, Looked
from .masking import masked_text
from .shown.event_facts import Fact, facts_of
from .shown.refusals import refusal_in_words, remedy_of
from .store import DeskStore
from .words import Words

_REFUSED = """
SELECT r.seq, r.digest, r.value, o.queued_at_ms FROM receipt r JOIN outbox o ON o.digest = r.digest
WHERE r.stage = 'refused' AND NOT EXISTS
    (SELECT 1 FROM receipt a WHERE a.digest = r.digest AND a.stage = 'admitted')
ORDER BY r.seq DESC LIMIT ?
"""
_UNBELIEVED = "SELECT seq, kind FROM notice WHERE kind IN ('forged', 'unreadable') ORDER BY seq DESC LIMIT ?"
_MOST = 500
"""Of a kind."""
_TRIED = 3
"""A document is a dead letter after so many attempts to fetch it, which go on all the same."""


class OwnLetters:
    """Those of one agency, from its own files."""

    def __init__(self, door: Door, folder: Path, store: DeskStore, catalog: Catalog) -> None:
        self._door = door
        self._folder = folder
        self._store = store
        self._catalog = catalog

    def kinds(self) -> Sequence[str]:
        """All that an agency can have."""
        return ("refused", "file", "webhook", "mail", "document", "inbox")

    def all(self, w: Words) -> list[Letter]:
        """All of them, newest first."""
        found = [*self._refused(w), *self._files(w), *self._documents(w), *self._unbelieved(w)]
        for kind, store in self._deliveries().items():
            found += _undelivered(kind, store, w)
        return sorted(found, key=lambda one: (one.at is None, one.at and -one.at.timestamp(), one.key))

    def look(self, letter: Letter, w: Words, *, content: bool) -> Looked:
        """The event that was refused, with personal data masked; of other kinds what is known of them."""
        technical = [
            Fact(w("letters.code"), [letter.code or "–"]),
            Fact(w("letters.place"), [letter.place]),
            Fact(w("letters.attempts"), [str(letter.attempts or 1)]),
        ]
        if letter.kind == "inbox":
            return Looked(technical, href=f"/inbox/{letter.id}" if content else None)
        if letter.kind != "refused":
            return Looked(technical)
        if letter.code in SECRET_CODES:
            return Looked(technical, note=w("letters.note_secret"))
        if not content:
            return Looked(technical, note=w("letters.note_not_yours"))
        for own in own_events(self._door.outbox, letter.id):
            if own.digest.hex() == letter.id:
                event = to_json(own.headers, own.data(self._catalog), self._catalog)
                return Looked(technical, facts_of(event, w, open=False))
        return Looked(technical)

    def foresee(self, letters: Sequence[Letter], w: Words) -> Mapping[str, Foreseen]:
        """What would be done now with each."""
        return {
            one.key: Foreseen(one.again, w(f"letters.would_{one.kind}") if one.again else one.remedy)
            for one in letters
        }

    def drive_again(
        self, letters: Sequence[Letter], reason: str, by: str, w: Words
    ) -> Mapping[str, Foreseen]:
        """Sends and fetches again. `reason` and `by` stand in the log of the desk."""
        stores, found = self._deliveries(), {}
        for one in letters:
            done = False
            if one.kind in stores:
                address, _, id = one.id.partition("/")
                done = bool(stores[one.kind].drive_again(address, [id] if id else ())) or not id
            elif one.kind == "document":
                done = bool(self._door.documents.fetch_again(one.id))
            found[one.key] = Foreseen(done, w("letters.done") if done else w("letters.gone"))
        return found

    # --- within ------------------------------------------------------------------------------------------

    def _refused(self, w: Words) -> Iterator[Letter]:
        with self._door.outbox.reading() as connection:
            rows = connection.execute(_REFUSED, (_MOST,)).fetchall()
        several: dict[str, list[Letter]] = defaultdict(list)
        for seq, digest, value, queued_at_ms in rows:
            receipt = receipt_json(self._catalog, decode(self._catalog, bytes(value))[1])
            code, event = str(receipt["code"]), receipt["event"]
            several[digest.hex()].append(
                Letter(
                    "refused",
                    digest.hex(),
                    to_datetime(queued_at_ms),
                    w.title(event["type"]) if event["type"] in self._catalog.types else w("letters.an_event"),
                    w("letters.place_receipt", n=str(seq)),
                    refusal_in_words(code, str(receipt["detail"] or ""), w),
                    remedy_of(code, w),
                    code,
                    detail=masked_text(str(receipt["detail"] or "")),
                )
            )
        yield from (found[0] for found in several.values())

    def _files(self, w: Words) -> Iterator[Letter]:
        if not (file := folder_file(self._folder)).exists():
            return
        for name, taken_at_ms, rows in DropStore(file).refused_by_door(_MOST):
            number, refusal_of = rows[0]
            said = refusal_of.get("zh") if w.language == "zh" else None
            cause = masked_text(str(said or refusal_of.get("detail") or ""))
            place = w("letters.place_row", n=str(number)) if number else w("letters.place_file")
            yield Letter(
                "file",
                name,
                to_datetime(taken_at_ms),
                name,
                place,
                cause,
                w("letters.remedy_file", n=len(rows)),
                "door",
            )

    def _documents(self, w: Words) -> Iterator[Letter]:
        for one in self._door.documents.troubled(_TRIED, _MOST):
            infected = one["state"] == INFECTED
            problem = masked_text(str(one["problem"] or "–"))
            yield Letter(
                "document",
                one["sha256"],
                to_datetime(one["changed_at_ms"]),
                w("letters.a_document", sender=w.agency(one["from"]), size=f"{one['size']:,}"),
                f"SHA-256 {one['sha256'][:16]}…",
                w("letters.infected") if infected else w("letters.cause_document", problem=problem),
                w("letters.remedy_infected") if infected else w("letters.remedy_document"),
                one["state"],
                one["attempts"],
                again=True,
            )

    def _unbelieved(self, w: Words) -> Iterator[Letter]:
        with self._store.reading() as connection:
            rows = connection.execute(_UNBELIEVED, (_MOST,)).fetchall()
        for seq, kind in rows:
            yield Letter(
                "inbox",
                str(seq),
                None,
                w(f"letters.inbox_{kind}"),
                w("letters.place_inbox", n=str(seq)),
                w(f"letters.cause_{kind}"),
                w(f"letters.remedy_{kind}"),
                kind,
            )

    def _deliveries(self) -> dict[str, WebhookStore | NotifyStore]:
        found: dict[str, WebhookStore | NotifyStore] = {}
        if (file := webhooks_file(self._folder)).exists():
            found["webhook"] = WebhookStore(file)
        if (file := notify_file(self._folder)).exists():
            found["mail"] = NotifyStore(file)
        return found


def _undelivered(kind: str, store: WebhookStore | NotifyStore, w: Words) -> Iterator[Letter]:
    gone = {one.name: one for one in store.addresses() if one.gone} if isinstance(store, WebhookStore) else {}
    for name in store.names():
        if name in gone:
            since = gone[name].failing_since_ms
            at = None if since is None else to_datetime(since)
            cause, remedy = w("letters.cause_gone"), w("letters.remedy_gone")
            yield Letter(kind, f"{name}/", at, name, name, cause, remedy, "410", again=True)
        for one in store.log(name, "failed", _MOST):
            code = str(one["problem"] or "–")
            yield Letter(
                kind,
                f"{name}/{one['id']}",
                to_datetime(one["queued_at_ms"]),
                w(f"letters.a_{kind}", name=name),
                f"{name}{w.gap}{one['id'][:24]}",
                w(f"letters.cause_{kind}", problem=masked_text(code)),
                w(f"letters.remedy_{kind}"),
                code[:40],
                one["attempts"],
                again=True,
            )
