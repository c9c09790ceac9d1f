"""The accounts of a chain: each agency's own, side by side, and the state of every suspect and charge."""

from collections import Counter
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import beijing_text

from .amounts import CONDUCT, Stated, stated_by
from .chain import ChainEvent
from .endings import ends_matter
from .fold import Folded
from .kept import ALL_TYPES, Kept, kept_of
from .laundering import laundering_json
from .persons import Person, Suspects
from .side_tracks import side_tracks

ABOUT_THE_BUS = frozenset(event.family for event in Catalog.load().types.values() if event.about == "bus")
"""Families that speak of notices and findings of the bus, not of the case."""

ACQUITTED, WITHDRAWN = "acquitted", "withdrawn"
"""States that no type brings: a result of a judgment, and a case of which nothing stands any more."""

FILED = "filed"
"""From here on only the police can end a case (MPS Procedure 2020, articles 186-189): no withdrawal does."""

_DOCUMENTS = ("document_no", "case_no", "receipt_no")


class Tracks:
    """The state of each (suspect, charge), moved by the events in their order.

    With `histories` each knows which events brought it where; without, only where it is and who brought it.
    """

    def __init__(self, suspects: Suspects, catalog: Catalog | None = None, *, histories: bool = True) -> None:
        self._catalog = catalog or Catalog.load()
        self._suspects = suspects
        self._histories = histories
        self._of: dict[tuple[int, str | None], list[tuple[str, ChainEvent]]] = {}
        self._articles: dict[int, list[str]] = {}
        self._reached: Counter[str] = Counter()
        self._general: str | None = None

    def apply(self, event: ChainEvent) -> str | None:
        """Moves what the event is about into the event's state.

        If the event is disputed where that was, because its type belongs to other states: where it was.
        """
        meaning = self._catalog.types.get(event.type)
        status = meaning.brings(event.data) if meaning else None
        if meaning is None or status is None or (meaning.ends is not None and not ends_matter(event)):
            return None
        named = self._named(event)
        if not named and meaning.about == "case":
            named = list(self._of)
        acquitted = self._acquitted(event)
        where = meaning.moves_from
        found = {self._state_of(key) for key in named} or {self._general}
        for key in named:
            if not where or self._state_of(key) in where:
                self._move(key, event, ACQUITTED if key in acquitted else status)
        if (self._general is None or not self._of) and (not where or self._general in where):
            self._general = status
        if not meaning.disputed_elsewhere or not found.isdisjoint((*where, None)):
            return None
        return max(filter(None, found), key=list(self._catalog.states).index)

    def to_json(self) -> list[dict[str, Any]]:
        """Suspects in the order in which they appeared, each with the charges brought against him."""
        listed = []
        for person in self._suspects.persons:
            charges = [
                {
                    "article": article,
                    "status": moves[-1][0],
                    "history": [_history(status, event) for status, event in moves],
                }
                for (number, article), moves in self._of.items()
                if number == person.number
            ]
            listed.append({"name": person.name, "names": list(person.names), "charges": charges})
        return listed

    def case_status(self) -> str | None:
        """The furthest state that any suspect and charge has reached; the case's own while there is none."""
        reached = [status for status, count in self._reached.items() if count]
        if not reached:
            return self._general
        return max(reached, key=list(self._catalog.states).index)

    def _state_of(self, key: tuple[int, str | None]) -> str | None:
        """Where a suspect and charge is: as the suspect without a charge, or as the case, if new."""
        moves = self._of.get(key) or self._of.get((key[0], None))
        return moves[-1][0] if moves else self._general

    def _named(self, event: ChainEvent) -> list[tuple[int, str | None]]:
        keys: dict[tuple[int, str | None], None] = {
            (person.number, article): None for person, article in charges_of(event, self._suspects)
        }
        charged = {number for number, _ in keys}
        for person in self._suspects.listed(event):
            if person.number not in charged:
                articles = self._articles.get(person.number) or (None,)
                keys.update(((person.number, article), None) for article in articles)
        return list(keys)

    def _acquitted(self, event: ChainEvent) -> set[tuple[int, str]]:
        found = set()
        for result in event.data.get("results") or ():
            person = self._suspects.find(event, result["suspect"])
            if person and result.get("result") == "acquitted":
                found.add((person.number, result["article"]))
        return found

    def _move(self, key: tuple[int, str | None], event: ChainEvent, status: str) -> None:
        if key[1] is not None and (bare := self._of.pop((key[0], None), None)) is not None:
            self._reached[bare[-1][0]] -= 1
        moves = self._of.get(key)
        if moves is None:
            moves = self._of[key] = []
            if key[1] is not None:
                self._articles.setdefault(key[0], []).append(key[1])
        else:
            self._reached[moves[-1][0]] -= 1
            if not self._histories:
                moves.clear()
        moves.append((status, event))
        self._reached[status] += 1


def _history(status: str, event: ChainEvent) -> dict[str, Any]:
    return {
        "status": status,
        "agency": event.agency,
        "event": event.digest.hex(),
        "at": beijing_text(event.occurred_at),
    }


def charges_of(event: ChainEvent, suspects: Suspects) -> list[tuple[Person, str]]:
    """The (suspect, article) pairs that an event charges or decides, each once, in its order."""
    entries = [*(event.data.get("charges") or ()), *(event.data.get("results") or ())]
    found: dict[tuple[int, str], Person] = {}
    for entry in entries:
        person = suspects.find(event, entry["suspect"])
        if person is not None:
            found.setdefault((person.number, entry["article"]), person)
    return [(person, article) for (_, article), person in found.items()]


def side_by_side(stated: Collection[Stated]) -> list[dict[str, Any]]:
    """Every amount, one row a kind, with each agency's figure and how the figures stand to each other.

    `agree`, `differ` (finding R30), `different basis or period` (others speak of other bases or periods, no
    finding), `one account` (no one else has stated an amount), `own act` (fine, confiscation, compensation).
    """
    comparable = {s.agency for s in stated if s.kind.basis in CONDUCT}
    rows = []
    for kind in sorted({s.kind for s in stated}, key=lambda kind: kind.sort_key):
        of_kind = sorted((s for s in stated if s.kind == kind), key=lambda s: s.agency)
        rows.append(
            {
                **kind.to_json(),
                "accounts": [
                    {"agency": s.agency, "value": plain(s.value), "event": s.event.digest.hex()}
                    for s in of_kind
                ],
                "comparison": _comparison(of_kind, comparable),
            }
        )
    return rows


def plain(value: Decimal) -> str:
    """A decimal as text with two places."""
    return f"{value:.2f}"


def _comparison(of_kind: list[Stated], comparable: set[str]) -> str:
    if of_kind[0].kind.basis not in CONDUCT:
        return "own act"
    if len({s.value for s in of_kind}) > 1:
        return "differ"
    if len(of_kind) > 1:
        return "agree"
    return "different basis or period" if len(comparable) > 1 else "one account"


def accounts(folded: Folded) -> dict[str, Any]:
    """The chain's accounts as canonical JSON can hold them: no offsets and no times of the bus."""
    suspects = folded.suspects
    tracks = Tracks(suspects)
    agencies: dict[str, dict[str, Any]] = {}
    security = None
    for event in folded.standing:
        if event.family in ABOUT_THE_BUS:
            continue
        tracks.apply(event)
        account = agencies.setdefault(
            event.agency, {"suspects": [], "charges": [], "amounts": [], "documents": [], "last": None}
        )
        _add_to_account(account, event, suspects)
        security = security or event.data.get("security")
    return {
        "chain": folded.order[0].chain,
        "status": status_of(folded, tracks),
        "security": security,
        "suspects": tracks.to_json(),
        "agencies": {agency: agencies[agency] for agency in sorted(agencies)},
        "amounts": side_by_side(folded.stated.all()),
        "tracks": {
            "assets": folded.assets.to_json(),
            "laundering": laundering_json(folded.standing, suspects),
            "beside": [track.to_json() for track in side_tracks(folded)],
        },
        "events": [event_line(event, folded) for event in folded.order],
    }


def status_of(folded: Folded, tracks: Tracks) -> str | None:
    """The state of the case: that all was taken back, else the furthest of its tracks."""
    return _withdrawn(folded) or tracks.case_status()


class _Brought(Kept):
    """How many events that stand brought the case anywhere, and how many answer what was taken back."""

    types = ALL_TYPES

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._early = list(catalog.states)[: list(catalog.states).index(FILED)]
        self.taken_back = any(self._state_of(folded.by_digest[digest]) for digest in folded.withdrawn)
        self.left = self.idle = 0

    def add(self, event: ChainEvent) -> None:
        state = self._state_of(event)
        if state is not None:
            self.left += 1
            withdrawn = self.folded.withdrawn
            if state in self._early and not withdrawn.keys().isdisjoint(self.folded.thread(event)):
                self.idle += 1

    def _state_of(self, event: ChainEvent) -> str | None:
        known = self.catalog.types.get(event.type)
        return known.brings(event.data) if known else None


def _withdrawn(folded: Folded) -> str | None:
    """Whether all that brought the case anywhere was taken back, or answers what was, before it was filed."""
    if not folded.withdrawn:
        return None
    brought = kept_of(_Brought, folded, Catalog.load())
    return WITHDRAWN if brought.taken_back and brought.idle == brought.left else None


def _add_to_account(account: dict[str, Any], event: ChainEvent, suspects: Suspects) -> None:
    digest = event.digest.hex()
    for person in suspects.listed(event):
        if person.name not in account["suspects"]:
            account["suspects"].append(person.name)
    for person, article in charges_of(event, suspects):
        pair = {"suspect": person.name, "article": article}
        if pair not in account["charges"]:
            account["charges"].append(pair)
    for stated in stated_by(event):
        row = {**stated.kind.to_json(), "value": plain(stated.value), "event": digest}
        same = [r for r in account["amounts"] if _same_kind(r, row)]
        for known in same:
            account["amounts"].remove(known)
        account["amounts"].append(row)
    numbers = [event.data.get(name) for name in _DOCUMENTS] + list(event.data.get("court_nos") or ())
    account["documents"].extend(n for n in numbers if n and n not in account["documents"])
    account["last"] = {"type": event.type, "at": beijing_text(event.occurred_at), "event": digest}


def _same_kind(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    return all(left[name] == right[name] for name in ("basis", "currency", "period"))


def event_line(event: ChainEvent, folded: Folded | None = None) -> dict[str, Any]:
    """An event in the list of its case; what became of it where it is folded."""
    corrected = folded.superseded.get(event.digest, ()) if folded else ()
    withdrawn = folded.withdrawn.get(event.digest) if folded else None
    return {
        "event": event.digest.hex(),
        "id": str(event.id),
        "type": event.type,
        "source": event.source,
        "time": beijing_text(event.occurred_at),
        "precision": event.envelope.get("precision"),
        "date_basis": event.envelope.get("date_basis"),
        "corrected_by": [digest.hex() for digest in corrected],
        "withdrawn_by": withdrawn.hex() if withdrawn else None,
        "outside": folded is not None and folded.belonging.is_outside(event),
    }
