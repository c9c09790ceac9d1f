"""The assets of a case: what was taken of each item, where it went, and where the books do not balance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from .basis import Basis
from .chain import ChainEvent

Way = Literal["released", "transferred", "returned", "sold", "confiscated"]
"""How an item leaves the case."""
WAYS: tuple[Way, ...] = ("released", "transferred", "returned", "sold", "confiscated")
HELD = "held"
ASSET_STATES = (HELD, *WAYS)
"""Where an item is: held still, or how the last of it left."""

COLUMNS = ("taken", HELD, *WAYS)
"""What a statement of assets says of an item: all that was taken, and where it is."""

_WAY_OF: Mapping[str, Way] = {
    "asset.released": "released",
    "asset.transferred": "transferred",
    "asset.returned_to_victims": "returned",
    "asset.sold": "sold",
    "asset.confiscated": "confiscated",
}
_TAKING: Mapping[str, str] = {
    "asset.seized": "items",
    "asset.frozen": "items",
    "asset.disgorged": "items",
    "asset.sold": "proceeds",
}
_ZERO = Decimal(0)

Measure = tuple[str, str]
"""Basis and currency: only what agrees in both is added up."""
Columns = Mapping[str, Decimal]
Wrong = Literal["untaken", "over", "twice", "negative", "row", "total", "books"]
"""An item nobody took; more left than was taken; one number for two items; a worth below zero; a statement
whose line does not add up, whose sum is not that of its lines, or that differs from the events before it."""


@dataclass(slots=True)
class Balance:
    """What was taken in one measure, and what of it left in which way; `moved` stands for who says so."""

    taken: Decimal = _ZERO
    out: dict[Way, Decimal] = field(default_factory=dict)
    moved: Basis = field(default_factory=Basis)

    @property
    def held(self) -> Decimal:
        """What is left of it."""
        return self.taken - sum(self.out.values())

    @property
    def columns(self) -> dict[str, Decimal]:
        """As a statement of assets says it."""
        return {"taken": self.taken, HELD: self.held, **{way: self.out.get(way, _ZERO) for way in WAYS}}

    def to_json(self, measure: Measure) -> dict[str, str]:
        """Decimals as text."""
        figures = {name: f"{value:.2f}" for name, value in self.columns.items()}
        return {"basis": measure[0], "currency": measure[1], **figures}


@dataclass(slots=True)
class Item:
    """One item by its number. `taken_by` is the event that first took it, None while nobody has.

    `keeper` is who has it in his keeping, `state` one of `ASSET_STATES`; `waiting` is a move of all of it
    that came before anybody took it.
    """

    number: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    taken_by: ChainEvent | None = None
    keeper: str | None = None
    expires_on: date | None = None
    state: str = HELD
    balances: dict[Measure, Balance] = field(default_factory=dict)
    waiting: tuple[Way, ChainEvent] | None = None

    def to_json(self) -> dict[str, Any]:
        """As `casebus case` shows it."""
        return {
            "item": self.number,
            "kind": self.facts.get("kind"),
            "title": self.facts.get("title"),
            "owner": self.facts.get("owner"),
            "state": self.state,
            "keeper": self.keeper,
            "expires_on": self.expires_on.isoformat() if self.expires_on else None,
            "taken_by": self.taken_by.agency if self.taken_by else None,
            "balances": [balance.to_json(measure) for measure, balance in sorted(self.balances.items())],
        }


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the books do not balance. `item` None: of a sum. `events` say it, the last of them last.

    `said` and `computed` are the two figures of `column`; `rests_on` stands for what was said before a
    statement whose sum is compared.
    """

    wrong: Wrong
    item: str | None
    measure: Measure | None
    events: tuple[ChainEvent, ...]
    column: str | None = None
    said: Decimal = _ZERO
    computed: Decimal = _ZERO
    rests_on: tuple[ChainEvent, ...] = ()


class AssetBook:
    """The items of a chain, carried on event by event; what an event costs does not grow with the chain."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.sums: dict[Measure, Balance] = {}
        self._untaken: dict[str, Fault] = {}
        self._over: dict[tuple[str, Measure], Fault | None] = {}
        self._said = Basis()
        self._lasting: list[Fault] = []
        self._stated: dict[str, list[Fault]] = {}

    def add(self, event: ChainEvent) -> None:
        """Takes the next event that stands."""
        if event.family != "asset":
            return
        way = _WAY_OF.get(event.type)
        if way is not None and (way != "transferred" or event.data.get("elsewhere")):
            for move in event.data.get("moves") or ():
                self._move(move, way, event)
        elif way is not None:
            for move in event.data.get("moves") or ():
                self._item(move["item"]).keeper = event.data.get("receiver")
                self._known(move["item"], event)
        for entry in event.data.get(_TAKING.get(event.type, "")) or ():
            self._take(entry, event)
        for term in event.data.get("terms") or ():
            self._item(term["item"]).expires_on = term["expires_on"]
            self._known(term["item"], event)
        for entry in event.data.get("appraisals") or ():
            self._appraise(entry, event)
        if event.type == "asset.balance_statement":
            self._stated[event.agency] = list(self._compared(event))
        else:
            self._said.add(event)

    def faults(self) -> Iterator[Fault]:
        """Where the books do not balance now; the last statement of each agency counts.

        A fault is the same object for as long as nothing is said of it.
        """
        yield from self._untaken.values()
        for (number, measure), known in self._over.items():
            item = self.items[number]
            if known is None and item.taken_by is not None:
                balance = item.balances[measure]
                events = (item.taken_by, *balance.moved)
                gone = balance.taken - balance.held
                known = Fault("over", number, measure, events, None, balance.taken, gone)
                self._over[number, measure] = known
            if known is not None:
                yield known
        yield from self._lasting
        for agency in sorted(self._stated):
            yield from self._stated[agency]

    def to_json(self) -> dict[str, Any]:
        """Items in the order in which they appeared, and the sums over all of them."""
        return {
            "items": [item.to_json() for item in self.items.values()],
            "sums": [balance.to_json(measure) for measure, balance in sorted(self.sums.items())],
        }

    # --- what happens to items --------------------------------------------------------------------------

    def _item(self, number: str) -> Item:
        return self.items.setdefault(number, Item(number))

    def _known(self, number: str, event: ChainEvent) -> None:
        if self.items[number].taken_by is None:
            self._untaken.setdefault(number, Fault("untaken", number, None, (event,)))

    def _take(self, entry: Mapping[str, Any], event: ChainEvent) -> None:
        item = self._item(entry["item"])
        if item.taken_by is not None and item.state == HELD:
            self._lasting.append(Fault("twice", item.number, None, (item.taken_by, event)))
            return
        item.facts, item.taken_by, item.keeper = entry, event, event.agency
        item.state, item.expires_on = HELD, entry.get("expires_on")
        self._untaken.pop(item.number, None)
        self._change(item, entry["worth"], "taken", event)
        if item.waiting is not None:
            (way, moved), item.waiting = item.waiting, None
            self._close(item, way, moved)

    def _appraise(self, entry: Mapping[str, Any], event: ChainEvent) -> None:
        item, worth = self._item(entry["item"]), entry["worth"]
        self._known(item.number, event)
        known = item.balances.get((worth["basis"], worth["currency"]))
        already = known.taken if known else _ZERO
        self._check(item, worth, event)
        self._add(item, (worth["basis"], worth["currency"]), "taken", worth["value"] - already)

    def _move(self, move: Mapping[str, Any], way: Way, event: ChainEvent) -> None:
        item, worth = self._item(move["item"]), move.get("worth")
        self._known(item.number, event)
        if worth is not None:
            self._change(item, worth, way, event)
            balance = item.balances[worth["basis"], worth["currency"]]
            if balance.taken > 0 and balance.held <= 0 and item.state == HELD:
                self._close(item, way, event)
        elif item.taken_by is None:
            item.waiting = item.waiting or (way, event)
        elif item.state == HELD:
            self._close(item, way, event)
        else:  # all of it has gone before: nothing is left to be moved
            self._lasting.append(Fault("over", item.number, None, (item.taken_by, event)))

    def _close(self, item: Item, way: Way, event: ChainEvent) -> None:
        item.state = way
        for measure, balance in item.balances.items():
            if balance.held > 0:
                balance.moved.add(event)
                self._add(item, measure, way, balance.held)

    def _change(self, item: Item, worth: Mapping[str, Any], column: str, event: ChainEvent) -> None:
        measure = (worth["basis"], worth["currency"])
        self._check(item, worth, event)
        self._add(item, measure, column, worth["value"])
        if column != "taken":
            item.balances[measure].moved.add(event)

    def _check(self, item: Item, worth: Mapping[str, Any], event: ChainEvent) -> None:
        if worth["value"] < 0:
            measure = (worth["basis"], worth["currency"])
            self._lasting.append(Fault("negative", item.number, measure, (event,), None, worth["value"]))

    def _add(self, item: Item, measure: Measure, column: str, value: Decimal) -> None:
        of_item = item.balances.setdefault(measure, Balance())
        for balance in (of_item, self.sums.setdefault(measure, Balance())):
            if column == "taken":
                balance.taken += value
            else:
                way: Any = column
                balance.out[way] = balance.out.get(way, _ZERO) + value
        if of_item.held < 0:
            self._over[item.number, measure] = None
        else:
            self._over.pop((item.number, measure), None)

    # --- what a statement says of them ------------------------------------------------------------------

    def _compared(self, event: ChainEvent) -> Iterator[Fault]:
        before = tuple(self._said)
        rows: dict[Measure, Counted] = {}
        totals: list[tuple[Measure, Columns]] = []
        for row in event.data.get("balances") or ():
            measure, columns = (row["basis"], row["currency"]), {name: row[name] for name in COLUMNS}
            if row["item"] is None:
                totals.append((measure, columns))
            else:
                rows.setdefault(measure, Counted()).add(columns)
            gone = sum((columns[name] for name in COLUMNS[1:]), _ZERO)
            if columns["taken"] != gone:
                rests_on = before if row["item"] is None else ()
                yield Fault("row", row["item"], measure, (event,), None, columns["taken"], gone, rests_on)
            if row["item"] is not None:
                item = self.items.get(row["item"])
                known = item.balances.get(measure) if item is not None else None
                yield from self._differs(event, row["item"], measure, columns, known or Balance())
        for measure, sums in totals:  # the first sum that is wrong shows it: the others follow from it
            of_rows = rows.get(measure, Counted()).columns
            wrong = next((name for name in COLUMNS if sums[name] != of_rows[name]), None)
            found = list(self._differs(event, None, measure, sums, self.sums.get(measure, Balance())))
            if wrong is not None:
                yield Fault("total", None, measure, (event,), wrong, sums[wrong], of_rows[wrong], before)
            yield from found
            if wrong is not None or found:
                return

    def _differs(
        self, event: ChainEvent, number: str | None, measure: Measure, said: Columns, known: Balance
    ) -> Iterator[Fault]:
        computed = known.columns
        wrong = next((name for name in COLUMNS if said[name] != computed[name]), None)
        if wrong is None:
            return
        item = self.items.get(number or "")
        taken = (item.taken_by,) if item is not None and item.taken_by is not None else ()
        if number is None:
            yield Fault(
                "books", None, measure, (event,), wrong, said[wrong], computed[wrong], tuple(self._said)
            )
        else:
            events = (*taken, *known.moved, event)
            yield Fault("books", number, measure, events, wrong, said[wrong], computed[wrong])


class Counted:
    """The sum of lines of a statement, column by column."""

    def __init__(self) -> None:
        self.columns = dict.fromkeys(COLUMNS, _ZERO)

    def add(self, columns: Columns) -> None:
        """One line more."""
        for name in COLUMNS:
            self.columns[name] += columns[name]
