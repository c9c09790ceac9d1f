"""The text of a scenario file: its required fields, its times, and how a variant changes its case."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NoReturn

import yaml

from casebus_schemas.errors import UsageError
from casebus_schemas.law import Sentence
from casebus_schemas.times import BEIJING

_CASE = {"scenario", "title", "source", "reference", "steps", "expect"}
_CASE_MAY = {"parts", "context", "passes", "chains"}
_VARIANT = {"scenario", "variant_of", "planted", "reference", "keep", "expect"}
_VARIANT_MAY = {"change", "add", "passes"}
_STEP_NEEDS = {"step", "at", "by", "type", "date", "date_basis", "says", "data"}
_STEP_MAY = {"chain", "to", "cc", "by_law", "in_reply_to", "corrects", "withdraws", "refs", "legal_basis"} | {
    "handling",
    "sealed",
}
_CONTEXT = {"at", "when", "who", "what"}
_CLOCK = {"rule", "opened_by", "owed_by", "owed_to", "readings", "due_earliest", "due_latest", "state"}
_FINDING_MAY = {"about", "severity", "accounts", "together", "chain"}
_END = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d):(\d\d)\Z")


@dataclass(frozen=True, slots=True)
class ScenarioText:
    """A scenario file read and, for a variant, laid over its case."""

    name: str
    body: Mapping[str, Any]

    @classmethod
    def read(cls, name: str, source: Callable[[str], str]) -> "ScenarioText":
        """Reads a file through `source` (name -> text). Raises UsageError for what is missing or unknown."""
        text = cls(name, {})
        body = text._parsed(source(name))
        if body.get("scenario") != name:
            text.wrong("scenario", repr(body.get("scenario")), f"the file's own name {name!r}")
        if "variant_of" in body:
            text._fields(body, _VARIANT, _VARIANT_MAY, "the variant")
            case = cls.read(str(body["variant_of"]), source)
            body = text._varied(case.body, body)
        else:
            text._fields(body, _CASE, _CASE_MAY, "the scenario")
        for entry in body["steps"]:
            text._fields(entry, _STEP_NEEDS, _STEP_MAY, f"step {entry.get('step', '?')}")
        for entry in body.get("context") or ():
            text._fields(entry, _CONTEXT, {"figures"}, "context")
        for entry in body.get("passes") or ():
            text._fields(entry, {"at", "says"}, set(), "passes")
        text._fields(body["expect"], {"clocks", "findings", "non_findings"}, set(), "expect")
        for entry in body["expect"]["clocks"]:
            text._fields(entry, _CLOCK, {"step", "ladder", "met_by"}, f"clock {entry.get('rule', '?')}")
        for entry in body["expect"]["findings"]:
            text._fields(entry, {"rule", "zh", "en"}, _FINDING_MAY, "finding")
        for entry in body["expect"]["non_findings"]:
            text._fields(entry, {"rule", "zh", "en"}, set(), "non-finding")
        return cls(name, body)

    def wrong(self, place: str, found: str, expected: str) -> NoReturn:
        """Raises UsageError that names the file and the place in it."""
        raise UsageError(f"scenario {self.name}: {place}", found=found, expected=expected)

    def moment(self, value: object, place: str) -> datetime:
        """A Beijing time written `2016-10-18 10:00`."""
        match = _END.match(str(value))
        if match is None:
            self.wrong(place, repr(value), "a Beijing time such as 2016-10-18 10:00")
        try:
            return datetime.fromisoformat(f"{value}:00+08:00").astimezone(BEIJING)
        except ValueError:
            self.wrong(place, repr(value), "an existing Beijing time")

    def end(self, value: object, place: str) -> datetime:
        """The end of a term; 24:00 is the first instant of the next day."""
        match = _END.match(str(value))
        if match is None or match[2] != "24":
            return self.moment(value, place)
        if match[3] != "00":
            self.wrong(place, repr(value), "24:00 or an earlier time of the day")
        return self.moment(f"{match[1]} 00:00", place) + timedelta(days=1)

    def day(self, value: object, place: str) -> datetime:
        """The first instant of a Beijing day."""
        if not isinstance(value, date) or isinstance(value, datetime):
            self.wrong(place, repr(value), "a day such as 2016-10-18")
        return datetime(value.year, value.month, value.day, tzinfo=BEIJING)

    def sentence(self, value: object, place: str) -> Sentence:
        """A sentence in Chinese and English."""
        if not isinstance(value, Mapping) or not value.get("zh") or not value.get("en"):
            self.wrong(place, repr(value), "{zh: …, en: …}")
        if len(value) > 2:
            self.wrong(place, repr(value), "only zh and en (quote a sentence that holds a comma)")
        return Sentence(str(value["zh"]), str(value["en"]))

    def chain(self, entry: Mapping[str, Any], place: str) -> str | None:
        """The further chain of the scenario that an entry names; None for its own."""
        named = entry.get("chain")
        known = self.body.get("chains") or {}
        return None if named is None else self.one_of(named, list(known), f"{place}, chain")

    def one_of(self, value: object, allowed: Sequence[str], place: str) -> str:
        """One of the allowed words."""
        if value not in allowed:
            self.wrong(place, repr(value), " or ".join(allowed))
        return str(value)

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            body = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UsageError(f"scenario {self.name} is not YAML", found=str(error)) from error
        if not isinstance(body, dict):
            self.wrong("the file", type(body).__name__, "a mapping")
        return body

    def _fields(self, entry: object, needed: set[str], allowed: set[str], place: str) -> None:
        if not isinstance(entry, Mapping):
            self.wrong(place, repr(entry)[:80], "a mapping")
        if missing := needed - set(entry):
            self.wrong(place, f"no {', '.join(sorted(missing))}", ", ".join(sorted(needed)))
        if unknown := set(entry) - needed - allowed:
            self.wrong(place, ", ".join(sorted(map(str, unknown))), ", ".join(sorted(needed | allowed)))

    def _varied(self, case: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
        """The case with only the steps kept, some changed and some added, ordered by when they are said.

        Clocks `as in` the case are those that the steps kept have opened.
        """
        known = {entry["step"]: entry for entry in case["steps"]}
        changes = variant.get("change") or {}
        for label in (*variant["keep"], *changes):
            if label not in known:
                self.wrong("keep or change", repr(label), f"a step of {variant['variant_of']}")
        steps = [self._changed(known[label], changes.get(label) or {}) for label in variant["keep"]]
        steps += variant.get("add") or []
        expect = dict(variant["expect"])
        if expect.get("clocks") == [f"as in {variant['variant_of']}"]:
            labels = {step["step"] for step in steps}
            expect["clocks"] = [one for one in case["expect"]["clocks"] if one["opened_by"] in labels]
        return {
            **variant,
            "title": case["title"],
            "source": case["source"],
            "chains": case.get("chains"),
            "steps": sorted(steps, key=lambda entry: str(entry["at"])),
            "expect": expect,
        }

    @staticmethod
    def _changed(step: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
        return {**step, **change, "data": {**step["data"], **(change.get("data") or {})}}
