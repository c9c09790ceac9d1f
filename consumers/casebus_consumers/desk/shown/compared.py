"""Two views of one case beside each other: what the second has more, lacks, or has otherwise."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casebus_consumers.desk.masking import masked_name
from casebus_consumers.desk.words import Words
from casebus_schemas.agencies import agency_of_source
from casebus_schemas.rules.view_changes import PARTS

from .event_facts import period_text
from .findings_list import finding_title, severity_of
from .names import charge_text
from .terms import duty_title, parties_of, span_of

KINDS = ("added", "gone", "changed")
"""Only in the second view; only in the first; in both, and not the same."""
_Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry: `was` and `now` are its facts in each view, empty where it is not there; `href` its page."""

    kind: str
    title: str
    href: str | None
    was: Sequence[str]
    now: Sequence[str]


@dataclass(frozen=True, slots=True)
class Part:
    """The differences among events, charges, amounts, obligations or findings."""

    name: str
    differences: Sequence[Difference]


def parts_of(compared: Mapping[str, Any], told: "Told") -> list[Part]:
    """The parts in which something differs; `compared` as `view_changes.changes` gives it."""
    found = []
    for name in PARTS:
        title, facts, href = told.of(name)
        differences = [
            _difference(kind, entry, title, facts, href) for kind in KINDS for entry in compared[name][kind]
        ]
        if differences:
            found.append(Part(name, differences))
    return found


def _difference(
    kind: str,
    entry: _Entry,
    title: Callable[[_Entry], str],
    facts: Callable[[_Entry], Iterator[str]],
    href: Callable[[_Entry], str | None],
) -> Difference:
    was, now = (entry["was"], entry["now"]) if kind == "changed" else (entry, entry)
    before = [] if kind == "added" else list(facts(was))
    after = [] if kind == "gone" else list(facts(now))
    if kind == "changed":  # what is the same on both sides is said once, by the title
        before, after = (
            [one for one in before if one not in after],
            [one for one in after if one not in before],
        )
    return Difference(kind, title(now), href(now), before, after)


class Told:
    """Titles, facts and addresses of entries; `there` are the ids that have a page today."""

    def __init__(self, chain: str, own: str, there: frozenset[str], w: Words, *, open: bool) -> None:
        self._chain, self._own, self._there, self._w, self._open = chain, own, there, w, open

    def of(
        self, part: str
    ) -> tuple[Callable[[_Entry], str], Callable[[_Entry], Iterator[str]], Callable[[_Entry], str | None]]:
        """How entries of a part are called, what their facts are, and where they stand."""
        w, chain = self._w, self._chain
        if part == "events":
            return (
                lambda one: w.title(one["type"]),
                self._event,
                lambda one: f"/cases/{chain}/events/{one['event']}",
            )
        if part == "charges":
            return self._suspect, self._charge, lambda _one: None
        if part == "amounts":
            return self._amount_title, self._amount, lambda _one: None
        if part == "obligations":
            return lambda one: duty_title(one, w), self._duty, lambda one: self._page("due", one)
        return lambda one: finding_title(one, w), self._finding, lambda one: self._page("findings", one)

    def _page(self, list: str, one: _Entry) -> str | None:
        """Where it stands, if it is there today."""
        return f"/{list}/{one['id']}" if one["id"] in self._there else None

    def _event(self, one: _Entry) -> Iterator[str]:
        w = self._w
        yield w.gap.join(
            (w.day(datetime.fromisoformat(one["time"])), w.short(agency_of_source(one["source"])))
        )
        for mark, key in (
            ("corrected_by", "corrected"),
            ("withdrawn_by", "withdrawn"),
            ("outside", "outside"),
        ):
            if one.get(mark):
                yield w(f"case.{key}")

    def _suspect(self, one: _Entry) -> str:
        name = str(one["name"])
        called = name if self._open else masked_name(name)
        return self._w.gap.join((called, charge_text(one["article"], self._w, long=True)))

    def _charge(self, one: _Entry) -> Iterator[str]:
        yield self._w.word("status", one["status"])

    def _amount_title(self, one: _Entry) -> str:
        w = self._w
        period = f"{w.gap}{period_text(one['period'], w)}" if one.get("period") else ""
        return w.word("basis", one["basis"]) + period

    def _amount(self, one: _Entry) -> Iterator[str]:
        w = self._w
        for account in one["accounts"]:
            yield w.gap.join((w.short(account["agency"]), w.money(account["value"], one["currency"])))

    def _duty(self, one: _Entry) -> Iterator[str]:
        w = self._w
        duty = {"latest_possible": one["due_latest"], **one}
        yield parties_of(duty, self._own, w)
        yield w.word("duty", one["state"])
        yield span_of(duty, w)
        if one["met"]:
            yield w("due.met_on", day=w.day(datetime.fromisoformat(one["met"]["by_claim"])))

    def _finding(self, one: _Entry) -> Iterator[str]:
        w = self._w
        yield w.gap.join((severity_of(dict(one), w).text, one["rule"], w.word("finding", one["state"])))
        yield w.say(one["because"])
