"""Published figures of the planted year: right ones, wrong ones of each kind, and some outdated since."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from random import Random
from typing import Any

from casebus_schemas.times import BEIJING

from .matter import Matter, Paper
from .road import SPP

IN_SCOPE = frozenset(("160", "161", "169-1", "179", "180(1)", "180(4)", "181(1)", "181(2)", "182"))
"""Articles under the label of securities crimes that the made-up cases use."""
LABEL = "证券犯罪"
PUBLISHED = datetime(2026, 11, 20, 9, tzinfo=BEIJING)
LATE = datetime(2026, 12, 1, 9, tzinfo=BEIJING)
_YEAR = 2025
Figures = list[dict[str, Any]]
_Count = Callable[[date, date], int]


class Counted:
    """What the generator itself counts in its matters, by the words of the measures."""

    def __init__(self, matters: Iterable[Matter]) -> None:
        self._persons: dict[tuple[int, str], date] = {}
        self._referred: dict[tuple[int, int | None], date] = {}
        for matter in matters:
            withdrawn = {paper.withdraws for paper in matter.papers}
            for paper in sorted(matter.papers, key=lambda paper: paper.at):
                if paper.label in withdrawn:
                    continue
                if paper.type == "outcome.prosecuted":
                    for ref in _charged(paper):
                        self._persons.setdefault((matter.number, ref), paper.at.date())
                elif paper.type == "outcome.indictment_withdrawn":
                    for suspect in paper.data["suspects"]:
                        self._persons.pop((matter.number, suspect["ref"]), None)
                elif paper.type == "referral.submitted" and _charged(paper):
                    self._referred.setdefault((matter.number, paper.chain), paper.at.date())

    def persons(self, since: date, until: date) -> int:
        """Persons prosecuted in these days."""
        return sum(since <= day <= until for day in self._persons.values())

    def referred(self, since: date, until: date) -> int:
        """Cases referred in these days."""
        return sum(since <= day <= until for day in self._referred.values())


def _charged(paper: Paper) -> set[str]:
    return {charge["suspect"] for charge in paper.data.get("charges") or () if charge["article"] in IN_SCOPE}


def publications(first: int, dice: Random, counted: Counted, each: int, right: int) -> list[Matter]:
    """Publications from number `first` on: `each` wrong ones for each rule, and `right` right ones."""
    makers: Sequence[tuple[str, Callable[[int, Counted], Figures]]] = (
        ("R60", _other_unit),
        ("R61", _other_count),
        ("R62", _other_change),
        ("R63", _no_cohort),
        ("R65", _unknown_label),
    )
    found: list[Matter] = []
    for rule, make in makers:
        for place in range(each):
            found.append(_published(first + len(found), dice, make(place, counted), rule))
    for place in range(right):
        make_right = (_right_count, _right_change)[place % 2]
        found.append(_published(first + len(found), dice, make_right(place, counted)))
    return found


def outdated(first: int, dice: Random, each: int) -> Iterator[Matter]:
    """Publications of clues in a month of 2024 of which another clue became known since (R64)."""
    for place in range(each):
        month = place % 12 + 1
        year = _YEAR - 1 - place // 12
        number = first + 2 * place
        figure = _figure("clues_submitted", "clue.submitted", "clues", *_month(month, year), 0)
        yield _published(number, dice, [figure], "R64")
        clue = Matter(number + 1, "late clue", dice, datetime(year, month, 10, 9, tzinfo=BEIJING))
        charge = {"suspect": "S1", "article": "182"}
        people = [{"ref": "S1", "kind": "natural", "name": f"迟某{number}"}]
        label = clue.say("clue.submitted", "csrc", "spp", source="other", suspects=people, charges=[charge])
        clue.paper(label).admitted = LATE
        yield clue


def _published(number: int, dice: Random, figures: Figures, rule: str | None = None) -> Matter:
    matter = Matter(number, "publication", dice, PUBLISHED)
    as_of = PUBLISHED.isoformat()
    matter.say("publication.statistic_published", SPP, "", title="办案数据", as_of=as_of, figures=figures)
    if rule is not None:
        matter.faults.add(rule)
    return matter


def _month(month: int, year: int = _YEAR) -> tuple[date, date]:
    after = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, 1), date.fromordinal(after.toordinal() - 1)


def _figure(
    measure: str,
    cohort: str,
    unit: str,
    since: date,
    until: date,
    value: object,
    ref: str = "F1",
    **more: Any,
) -> dict[str, Any]:
    return {
        "ref": ref,
        "measure": measure,
        "kind": "count",
        "value": str(value),
        "unit": unit,
        "scope": LABEL,
        "cohort": cohort,
        "period": {"from": since.isoformat(), "to": until.isoformat()},
        "version": 1,
        **more,
    }


def _persons(counted: Counted, since: date, until: date, ref: str = "F1") -> dict[str, Any]:
    value = counted.persons(since, until)
    return _figure("persons_prosecuted", "outcome.prosecuted", "persons", since, until, value, ref)


def _right_count(place: int, counted: Counted) -> Figures:
    return [_persons(counted, *_month(place % 12 + 1))]


def _other_unit(place: int, counted: Counted) -> Figures:
    return [{**_right_count(place, counted)[0], "unit": "cases"}]


def _no_cohort(place: int, counted: Counted) -> Figures:
    return [{**_right_count(place, counted)[0], "cohort": "whatever"}]


def _unknown_label(place: int, counted: Counted) -> Figures:
    return [{**_right_count(place, counted)[0], "scope": "各类犯罪"}]


def _other_count(place: int, counted: Counted) -> Figures:
    since, until = _month(place % 12 + 1)
    value = counted.referred(since, until) + 1 + place
    return [_figure("cases_referred", "referral.submitted", "cases", since, until, value)]


def _right_change(place: int, counted: Counted) -> Figures:
    return _change(3 + place % 2, 8 + place % 5, counted, 0)


def _other_change(place: int, counted: Counted) -> Figures:
    return _change(1 + place // 5 % 2, 8 + place % 5, counted, 7 + place)


def _change(first: int, last: int, counted: Counted, more: int) -> Figures:
    """On the same months of the year before, in whole per cent rounded half up, `more` too much.

    Each wrong one is of other months: what is published anew takes the place of what was published before.
    """
    earlier, later = ((_month(first, year)[0], _month(last, year)[1]) for year in (_YEAR, _YEAR + 1))
    below, above = _persons(counted, *earlier, "F2"), _persons(counted, *later, "F1")
    base = counted.persons(*earlier)
    assert base, "nobody was prosecuted in these months of the first year"
    percent = (200 * (counted.persons(*later) - base) + base) // (2 * base)
    change = {**above, "ref": "F3", "kind": "change", "unit": "percent", "value": str(percent + more)}
    return [above, below, {**change, "numerator": "F1", "denominator": "F2"}]
