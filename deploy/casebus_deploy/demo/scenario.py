"""Scenario files: a public case step by step, and what the bus must and must not say of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast
from uuid import UUID

from casebus_schemas.agencies import agency_of_source
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.law import Sentence
from casebus_schemas.times import BEIJING
from casebus_schemas.wire.ids import message_uuid

from .pointers import steps_named
from .scenario_text import ScenarioText

DateBasis = Literal["stated", "assumed"]

FOLDER = "scenarios"


@dataclass(frozen=True, slots=True)
class Context:
    """What somebody outside the bus did: shown in its place, never published."""

    at: datetime
    when: str
    who: Sentence
    what: Sentence
    figures: str | None


@dataclass(frozen=True, slots=True)
class Passing:
    """A time to which the bus's clock is set although nobody speaks: a term has come or gone."""

    at: datetime
    scenario: str
    says: Sentence


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that an agency says.

    `at` is what the bus's clock shows when it is said, `date` when it happened by its own words.
    `in_reply_to`, `corrects` and `withdraws` are labels of earlier steps of the same scenario. `by_law` are
    the agencies that must hear of it beside `to` and `cc`, written by hand so that routing can be held to it.
    `chain` names another chain of the scenario than its own.
    """

    scenario: str
    label: str
    at: datetime
    source: str
    type: str
    date: datetime
    date_basis: DateBasis
    says: Sentence
    to: tuple[str, ...]
    cc: tuple[str, ...]
    by_law: tuple[str, ...]
    in_reply_to: str | None
    corrects: str | None
    withdraws: str | None
    refs: tuple[Mapping[str, str], ...]
    legal_basis: tuple[Mapping[str, str], ...]
    handling: str
    data: Mapping[str, Any]
    chain: str | None = None
    sealed: Mapping[str, Any] | None = None
    """Made-up personal data that the speaker's program seals for those who may read them."""

    @property
    def agency(self) -> str:
        """Who says it."""
        return agency_of_source(self.source)

    @property
    def message_no(self) -> str:
        """The sender's own message number: the event's id follows from it."""
        return f"{self.scenario}/{self.label}"

    @property
    def id(self) -> UUID:
        """Id that the event will have."""
        return message_uuid(self.agency, self.message_no)

    def names(self) -> tuple[str, ...]:
        """Labels of the earlier steps that this one points at."""
        pointers = (self.in_reply_to, self.corrects, self.withdraws, *steps_named(self.data))
        return tuple(pointer for pointer in pointers if pointer is not None)

    def told(self) -> dict[str, str]:
        """Agency -> role (`to`, `cc` or `by-law`) of everybody who must be told; nobody hears himself."""
        found: dict[str, str] = {}
        for role, receivers in (("to", self.to), ("cc", self.cc), ("by-law", self.by_law)):
            for receiver in receivers:
                agency = receiver.partition("/")[0]
                if agency != self.agency:
                    found.setdefault(agency, role)
        return found


@dataclass(frozen=True, slots=True)
class ExpectedClock:
    """An obligation as it must be when the scenario has been played, computed by hand."""

    rule: str
    opened_by: str
    owed_by: str
    owed_to: tuple[str, ...]
    step: str | None
    readings: Mapping[str, datetime]
    due_earliest: datetime
    due_latest: datetime
    ladder: Mapping[str, datetime]
    state: str
    met_by: str | None


@dataclass(frozen=True, slots=True)
class ExpectedFinding:
    """A finding that must be there. `about` is a word that it must contain; `accounts` agency -> figure.

    `together` says that it is there only where other scenarios are played beside this one; `chain` names
    another chain of the scenario than its own.
    """

    rule: str
    about: str | None
    severity: str | None
    accounts: Mapping[str, str]
    why: Sentence
    together: bool = False
    chain: str | None = None


@dataclass(frozen=True, slots=True)
class NonFinding:
    """Something that must not be found, and why not."""

    rule: str
    why: Sentence


@dataclass(frozen=True, slots=True)
class Scenario:
    """A case, its steps in the order in which they are said.

    `planted` says what was planted, None for a case as it was. `chains` are the references of its further
    chains by their names: a case that was split, or one matter under two numbers.
    """

    name: str
    title: Sentence
    source: Sentence
    planted: Sentence | None
    variant_of: str | None
    reference: Mapping[str, str]
    context: tuple[Context, ...]
    passings: tuple[Passing, ...]
    steps: tuple[Step, ...]
    clocks: tuple[ExpectedClock, ...]
    findings: tuple[ExpectedFinding, ...]
    non_findings: tuple[NonFinding, ...]
    chains: Mapping[str, Mapping[str, str]]

    def step(self, label: str) -> Step:
        """The step of that label. Raises UsageError if there is none."""
        for step in self.steps:
            if step.label == label:
                return step
        raise UsageError(
            f"scenario {self.name} has no such step",
            found=repr(label),
            expected=", ".join(step.label for step in self.steps),
        )

    def skipped(self, catalog: Catalog) -> dict[str, str]:
        """Label -> why a step cannot be said: no event type for it, or it points at such a step."""
        found: dict[str, str] = {}
        for step in self.steps:
            if step.type not in catalog.types:
                found[step.label] = f"there is no event type {step.type} yet"
            elif missing := [name for name in step.names() if name in found]:
                found[step.label] = f"it points at {missing[0]}, which is skipped"
        return found


def names() -> list[str]:
    """The scenarios of this package: cases first, each followed by its variants."""
    return sorted(
        entry.name.removesuffix(".yaml") for entry in _folder().iterdir() if entry.name.endswith(".yaml")
    )


def load(name: str) -> Scenario:
    """A scenario of this package by name. Raises UsageError naming file, step and fault if it is wrong."""
    if name not in names():
        raise UsageError("no such scenario", found=repr(name), expected=", ".join(names()))
    return _scenario(ScenarioText.read(name, _read))


def load_all() -> list[Scenario]:
    """All scenarios of this package."""
    return [load(name) for name in names()]


def load_file(path: Path) -> Scenario:
    """A scenario file of the user's own; a variant's case is looked for in the same folder."""
    return _scenario(
        ScenarioText.read(path.stem, lambda name: (path.parent / f"{name}.yaml").read_text(encoding="utf-8"))
    )


def _folder() -> Any:
    return files(__package__) / FOLDER


def _read(name: str) -> str:
    return cast(str, (_folder() / f"{name}.yaml").read_text(encoding="utf-8"))


def _scenario(text: ScenarioText) -> Scenario:
    body = text.body
    steps = tuple(_step(text, entry) for entry in body["steps"])
    _check_order(text, steps)
    expect = body["expect"]
    labels = {step.label for step in steps}
    return Scenario(
        name=text.name,
        title=text.sentence(body["title"], "title"),
        source=text.sentence(body["source"], "source"),
        planted=text.sentence(body["planted"], "planted") if body.get("planted") else None,
        variant_of=body.get("variant_of"),
        reference=body["reference"],
        context=tuple(_context(text, entry) for entry in body.get("context") or ()),
        passings=tuple(_passing(text, entry) for entry in body.get("passes") or ()),
        steps=steps,
        clocks=tuple(_clock(text, entry, labels) for entry in expect["clocks"]),
        findings=tuple(_finding(text, entry) for entry in expect["findings"]),
        non_findings=tuple(NonFinding(entry["rule"], _why(text, entry)) for entry in expect["non_findings"]),
        chains=body.get("chains") or {},
    )


def _context(text: ScenarioText, entry: Mapping[str, Any]) -> Context:
    return Context(
        at=text.moment(entry["at"], "context"),
        when=str(entry["when"]),
        who=text.sentence(entry["who"], "context"),
        what=text.sentence(entry["what"], "context"),
        figures=str(entry["figures"]) if entry.get("figures") else None,
    )


def _passing(text: ScenarioText, entry: Mapping[str, Any]) -> Passing:
    return Passing(text.moment(entry["at"], "passes"), text.name, text.sentence(entry["says"], "passes"))


def _step(text: ScenarioText, entry: Mapping[str, Any]) -> Step:
    label = entry["step"]
    place = f"step {label}"
    return Step(
        scenario=text.name,
        label=label,
        at=text.moment(entry["at"], place),
        source="/" + entry["by"],
        type=entry["type"],
        date=text.day(entry["date"], place),
        date_basis=cast(
            DateBasis, text.one_of(entry["date_basis"], ("stated", "assumed"), f"{place}, date_basis")
        ),
        says=text.sentence(entry["says"], place),
        to=tuple(entry.get("to") or ()),
        cc=tuple(entry.get("cc") or ()),
        by_law=tuple(entry.get("by_law") or ()),
        in_reply_to=entry.get("in_reply_to"),
        corrects=entry.get("corrects"),
        withdraws=entry.get("withdraws"),
        refs=tuple(entry.get("refs") or ()),
        legal_basis=tuple(entry.get("legal_basis") or ()),
        handling=text.one_of(entry.get("handling", "H1"), ("H0", "H1", "H2", "H3"), f"{place}, handling"),
        data=entry["data"],
        chain=text.chain(entry, place),
        sealed=entry.get("sealed"),
    )


def _check_order(text: ScenarioText, steps: Iterable[Step]) -> None:
    """Every label once; a step is said after it happened, after the step before and after those it names."""
    seen: dict[str, Step] = {}
    last: Step | None = None
    for step in steps:
        place = f"step {step.label}"
        agency_of_source(step.source)
        if step.label in seen:
            text.wrong(place, "the label twice", "each label once")
        if last is not None and step.at < last.at:
            text.wrong(place, f"said at {step.at}, before {last.label}", f"not before {last.at}")
        if step.at < step.date:
            text.wrong(place, f"said at {step.at} and happened on {step.date}", "said when it has happened")
        for name in step.names():
            if name not in seen:
                text.wrong(place, f"a pointer to {name!r}", "the label of an earlier step")
        for changed in (step.corrects, step.withdraws):
            if changed is not None and seen[changed].agency != step.agency:
                text.wrong(
                    place, f"{step.agency} changing what {seen[changed].agency} said", "one's own step"
                )
        seen[step.label] = step
        last = step


def _clock(text: ScenarioText, entry: Mapping[str, Any], labels: set[str]) -> ExpectedClock:
    place = f"clock {entry['rule']}"
    readings = {name: text.end(value, place) for name, value in entry["readings"].items()}
    earliest, latest = text.end(entry["due_earliest"], place), text.end(entry["due_latest"], place)
    if (earliest, latest) != (min(readings.values()), max(readings.values())):
        text.wrong(place, f"due {earliest} to {latest}", "the smallest and the largest of its readings")
    for label in (entry["opened_by"], entry.get("met_by")):
        if label is not None and label not in labels:
            text.wrong(place, repr(label), "the label of a step")
    return ExpectedClock(
        rule=entry["rule"],
        opened_by=entry["opened_by"],
        owed_by=entry["owed_by"],
        owed_to=tuple(entry["owed_to"]),
        step=entry.get("step"),
        readings=readings,
        due_earliest=earliest,
        due_latest=latest,
        ladder={name: text.end(value, place) for name, value in (entry.get("ladder") or {}).items()},
        state=entry["state"],
        met_by=entry.get("met_by"),
    )


def _finding(text: ScenarioText, entry: Mapping[str, Any]) -> ExpectedFinding:
    return ExpectedFinding(
        rule=entry["rule"],
        about=str(entry["about"]) if entry.get("about") is not None else None,
        severity=entry.get("severity"),
        accounts=dict(entry.get("accounts") or {}),
        why=_why(text, entry),
        together=bool(entry.get("together")),
        chain=text.chain(entry, f"finding {entry['rule']}"),
    )


def _why(text: ScenarioText, entry: Mapping[str, Any]) -> Sentence:
    return text.sentence({"zh": entry["zh"], "en": entry["en"]}, f"expect {entry['rule']}")


def ends(moment: datetime) -> str:
    """The end of a term as the law says it: `2016-10-22 24:00`."""
    local = moment.astimezone(BEIJING)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{local - timedelta(days=1):%Y-%m-%d} 24:00"
    return f"{local:%Y-%m-%d %H:%M}"
