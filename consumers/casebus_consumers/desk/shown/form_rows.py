"""A draft as its form shows it: fields with labels, choices and problems, and what its case offers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from casebus_consumers.desk.compose.content import FACTS, HEAD, PERSONAL, Content
from casebus_consumers.desk.compose.entered import ROWS, leaves, plain_amount, tree_of
from casebus_consumers.desk.compose.judging import Remark
from casebus_consumers.desk.compose.kinds import composable
from casebus_consumers.desk.compose.specs import Spec, envelope_list, personal_specs, specs_of
from casebus_consumers.desk.words import Words
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law.clocks import clock_table
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.texts.symbols import symbols

from .terms import duty_title, span_of

if TYPE_CHECKING:
    from casebus_consumers.desk.asked import Asked

_LARGE = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class FieldShown:
    """One field: `at` is its name and pointer, `id` its anchor, `rows` the fields of each row of a list."""

    at: str
    id: str
    spec: Spec
    label: str
    hint: str
    value: str = ""
    also: str = ""
    problem: str = ""
    choices: Sequence[tuple[str, str]] = ()
    fields: Sequence["FieldShown"] = ()
    rows: Sequence[Sequence["FieldShown"]] = ()
    filled: bool = False

    @property
    def described(self) -> str:
        """The ids of what stands below the field: what is wrong there, and what it is about."""
        parts = (("problem", self.problem), ("hint", self.hint or self.also))
        return " ".join(f"{self.id}-{name}" for name, said in parts if said)

    @property
    def counter(self) -> str:
        """The name of the field that says how many rows there are."""
        return self.at + ROWS


@dataclass(frozen=True, slots=True)
class FormShown:
    """The whole form; `problems` are all that is wrong: anchor, field, what."""

    facts: Sequence[FieldShown]
    personal: Sequence[FieldShown]
    references: FieldShown
    law: FieldShown
    problems: Sequence[tuple[str, str, str]]
    at: Mapping[str, str]
    """What is wrong with the fields of the envelope, by the last part of their pointers."""
    handling: Sequence[tuple[str, str]]
    answers: Sequence[tuple[str, str]]
    own: Sequence[tuple[str, str]]
    duties: Sequence[tuple[str, str]]
    suspects: Sequence[tuple[str, str]]


@dataclass
class _Showing:
    w: Words
    wrong: Mapping[str, str]
    instruments: Sequence[tuple[str, str]] = field(default=())

    def all(self, specs: Sequence[Spec], tree: Mapping[str, Any], at: str) -> list[FieldShown]:
        return [self.one(spec, tree[spec.name], f"{at}/{spec.name}") for spec in specs]

    def one(self, spec: Spec, value: Any, at: str) -> FieldShown:
        w = self.w
        label, hint = w.say(spec.label), spec.hint.zh if w.language == "zh" else spec.hint.en
        problem, id = self.wrong.get(at, ""), anchor(at)
        if spec.kind == "list":
            rows = [self.all(spec.fields, row, f"{at}/{number}") for number, row in enumerate(value)]
            return FieldShown(at, id, spec, label, hint, problem=problem, rows=rows, filled=bool(value))
        if spec.kind == "record":
            fields = self.all(spec.fields, value, at)
            filled = any(one.filled for one in fields) or any(key.startswith(f"{at}/") for key in self.wrong)
            return FieldShown(at, id, spec, label, hint, problem=problem, fields=fields, filled=filled)
        choices = [(one, w.say(said)) for one, said in spec.choices]
        if spec.kind == "flag":
            choices = [("yes", w("facts.yes")), ("no", w("facts.no"))]
        if spec.name == "instrument":
            choices = [
                *self.instruments,
                *([(value, value)] if value and value not in dict(self.instruments) else []),
            ]
        also = in_units(value, w) if spec.kind == "money" else ""
        filled = value not in ("", spec.default)
        return FieldShown(at, id, spec, label, hint, value, also, problem, choices, filled=filled)


def form_of(asked: "Asked", content: Content, remarks: Sequence[Remark]) -> FormShown:
    """The form of a draft with what is wrong in it."""
    w, desk = asked.words, asked.desk
    wrong = {one.pointer: _said(one, w) for one in remarks}
    instruments = [(name, w.say(one.title)) for name, one in clock_table().instruments.items() if one.is_law]
    showing = _Showing(w, wrong, instruments)
    events = [] if content.subject is None else desk.view.events(content.subject)
    head = content.head
    lists = {
        name: showing.one(_list_spec(name, w), getattr(head, name), f"{HEAD}/{name}")
        for name in ("local_refs", "legal_basis")
    }
    duties = [one for one in asked.glance.duties if one["chain"] == content.subject and not one["met"]]
    handling = symbols()["Handling"]
    names = {str(row["ref"]): str(row.get("name") or "") for row in content.facts.get("suspects", ())}
    for event in events:
        for one in event.data.get("suspects") or ():
            names.setdefault(str(one["ref"]), str(one["name"] or ""))
    return FormShown(
        showing.all(specs_of(content.type), content.facts, FACTS),
        showing.all(personal_specs(), content.personal, PERSONAL),
        lists["local_refs"],
        lists["legal_basis"],
        [
            (anchor(_field_at(one.pointer)), place_of(one.pointer, content.type, w), _said(one, w))
            for one in remarks
        ],
        {
            "to" if pointer.startswith(f"{HEAD}/to") else "day" if pointer == "/time" else name: said
            for pointer, said in wrong.items()
            if (name := pointer.rpartition("/")[2])
        },
        [(level, f"{level} {w.say(handling[level])}") for level in ("H0", "H1", "H2", "H3")],
        _answerable(asked, content, events),
        _own_events(asked, events),
        [(one["id"], f"{duty_title(one, w)}{w.gap}{span_of(one, w)}") for one in duties],
        [(ref, name) for ref, name in names.items() if ref],
    )


def _list_spec(name: str, w: Words) -> Spec:
    label = w(f"draft.{name}")
    return replace(envelope_list(name), label=Sentence(label, label))


def _said(one: Remark, w: Words) -> str:
    said = w.say(one.said)
    law = [w.law(article.instrument, article.article) for article in one.law]
    return f"{said} {w('draft.forbidden_by', law=w.listed(law))}" if law else said


def _answerable(asked: "Asked", content: Content, events: Sequence[ChainEvent]) -> list[tuple[str, str]]:
    """What of the case an event of this type may answer, the last first; and what it does answer."""
    kind = asked.desk.catalog.event(content.type)
    w, found = asked.words, []
    for event in sorted(events, key=lambda one: one.admitted_at, reverse=True):
        fits = event.type in kind.answers or ("*" in kind.answers) or not kind.answers
        if event.agency != asked.desk.agency and fits:
            found.append((f"{event.id} {event.digest.hex()}", _called(event, w)))
    chosen = content.head.answers
    if chosen and chosen not in dict(found):
        found.insert(0, (chosen, w("draft.chosen_event", digest=chosen[-64:][:12])))
    return found


def _own_events(asked: "Asked", events: Sequence[ChainEvent]) -> list[tuple[str, str]]:
    own = [one for one in events if one.agency == asked.desk.agency]
    own = [one for one in own if one.type in composable(asked.desk.catalog, asked.desk.agency)]
    own.sort(key=lambda one: one.admitted_at, reverse=True)
    return [(one.digest.hex(), _called(one, asked.words)) for one in own]


def _called(event: ChainEvent, w: Words) -> str:
    return w.gap.join((w.day(event.occurred_at), w.short(event.source), w.title(event.type)))


def in_units(value: str, w: Words) -> str:
    """A large amount in 万元 or 亿元, so that a slip of the unit meets the eye; empty for small ones."""
    try:
        amount = Decimal(plain_amount(value))
    except InvalidOperation:
        return ""
    if not amount.is_finite() or abs(amount) < _LARGE:
        return ""
    if w.language == "en":
        return w("draft.millions", n=f"{amount / 1_000_000:,.6f}".rstrip("0").rstrip("."))
    unit, factor = ("亿元", 10_000 * _LARGE) if abs(amount) >= 10_000 * _LARGE else ("万元", _LARGE)
    return w("draft.in_units", n=f"{amount / factor:,.6f}".rstrip("0").rstrip("."), unit=unit)


def personal_facts(event: Mapping[str, Any], w: Words) -> list[tuple[str, str]]:
    """The personal facts of an event that is not sealed yet: label and value."""
    sealed = event["data"].get("sealed")
    if not isinstance(sealed, Mapping):
        return []
    specs = personal_specs()
    tree = tree_of(specs, sealed)
    return [(w.say(spec.label), value) for _, spec, value in leaves(specs, tree, "") if value]


def envelope_facts(asked: "Asked", event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the envelope of an event says beside its addressees and time: label and value."""
    w, envelope = asked.words, event["data"]["envelope"]
    chain = event["subject"]
    known = {} if chain is None else {one.digest.hex(): one for one in asked.desk.view.events(chain)}
    found = []
    if level := envelope.get("handling"):
        said = symbols()["Handling"].get(level)
        found.append((w("draft.handling"), level if said is None else f"{level} {w.say(said)}"))
    for name, key in (("answers", "in_reply_to_hash"), ("corrects", "corrects"), ("withdraws", "withdraws")):
        if digest := envelope.get(key):
            called = _called(known[digest], w) + w.gap if digest in known else ""
            found.append((w(f"draft.{name}"), f"{called}{digest[:12]}"))
    if duty := envelope.get("obligation"):
        titles = {one["id"]: duty_title(one, w) for one in asked.glance.duties}
        found.append((w("draft.obligation"), titles.get(duty, duty[:8])))
    return found


def place_of(pointer: str, type: str, w: Words) -> str:
    """What the place of a problem is called: list, row and field."""
    return w.gap.join(_names(pointer, type, w)) or w("draft.event")


def _names(pointer: str, type: str, w: Words) -> Iterator[str]:
    if pointer == "/time":
        yield w("draft.when")
    elif pointer.startswith(f"{HEAD}/"):
        name = pointer.removeprefix(f"{HEAD}/").partition("/")[0]
        yield w(f"draft.{_HEAD_NAMES.get(name, 'envelope')}")
    elif pointer.startswith(PERSONAL):
        yield w("draft.personal")
        yield from _walked(personal_specs(), pointer.removeprefix(PERSONAL), w)
    elif pointer.startswith(FACTS):
        yield from _walked(specs_of(type), pointer.removeprefix(FACTS), w)


_HEAD_NAMES = {
    "to": "to",
    "cc": "cc",
    "handling": "handling",
    "in_reply_to": "answers",
    "in_reply_to_hash": "answers",
    "corrects": "corrects",
    "withdraws": "withdraws",
    "local_refs": "local_refs",
    "legal_basis": "legal_basis",
    "obligation": "obligation",
}


def _walked(specs: Sequence[Spec], pointer: str, w: Words) -> Iterator[str]:
    fields = {one.name: one for one in specs}
    for step in pointer.strip("/").split("/"):
        if step in fields:
            yield w.say(fields[step].label)
            fields = {one.name: one for one in fields[step].fields}
        elif step.isdigit():
            yield w("draft.row", n=str(int(step) + 1))


def anchor(pointer: str) -> str:
    """The id of a field in the page."""
    return "f" + pointer.replace("/", "-")


def _field_at(pointer: str) -> str:
    """The pointer of the field in which something is typed for a place of the event."""
    if pointer == "/time":
        return f"{HEAD}/day"
    for name in ("to", "cc"):
        if pointer.startswith(f"{HEAD}/{name}"):
            return f"{HEAD}/to"
    if pointer.startswith(f"{HEAD}/in_reply_to"):
        return f"{HEAD}/answers"
    return pointer
