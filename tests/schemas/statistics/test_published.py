"""Published figures are held against the recomputed ones: equal, wrong, or to be restated."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from casebus_consumers.statistics.sources import from_files
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.statistics.comparison import Published, compare_published
from casebus_schemas.statistics.figures import Versions
from support.cases.prosecutions import indictment, person, played

SPANS = {
    "2021H1": ("2021-01-01", "2021-06-30"),
    "2021H2": ("2021-07-01", "2021-12-31"),
    "2021": ("2021-01-01", "2021-12-31"),
    "2022H1": ("2022-01-01", "2022-06-30"),
    "all": ("2021-01-01", "2022-06-30"),
}
LATE = indictment("late", date(2021, 12, 20), [person("late")], [(1, "182")])


def stated(ref: str, value: str, span: str, **more: Any) -> dict[str, Any]:
    """One figure of a publication."""
    first, last = SPANS[span]
    return {
        "ref": ref,
        "measure": "persons_prosecuted",
        "kind": "count",
        "value": value,
        "unit": "persons",
        "scope": "证券犯罪",
        "cohort": "outcome.prosecuted",
        "period": {"from": first, "to": last},
        "version": 1,
        **more,
    }


def percent(ref: str, value: str, above: str | None, below: str | None, **more: Any) -> dict[str, Any]:
    """A change or ratio of two figures of the same publication."""
    figure = stated(ref, value, "2022H1", kind="change", unit="percent", numerator=above, denominator=below)
    return {**figure, **more}


def publication(
    number: str, day: str, *figures: dict[str, Any], as_of: str | None = None, **more: Any
) -> dict[str, Any]:
    """A publication of the procuratorate, admitted at noon of its day."""
    restated = "causes" in more
    data = {
        "envelope": {
            "message_class": "initial",
            "to": [],
            "local_refs": [{"issuer": "spp", "scheme": "publication", "value": "press"}],
            "precision": "day",
            "date_basis": "stated",
            "handling": "H0",
            "message_no": number,
        },
        "title": "press conference",
        "as_of": as_of,
        "figures": list(figures),
        **more,
    }
    event = {
        "specversion": "1.0",
        "type": "publication.statistic_restated" if restated else "publication.statistic_published",
        "source": "/spp",
        "time": f"{day}T12:00:00+08:00",
        "subject": None,
        "data": data,
    }
    return {"event": event, "admitted_at": f"{day}T12:00:00+08:00"}


PRESS = (
    stated("F1", "376", "all"),
    stated("F2", "147", "2022H1"),
    stated("F3", "76", "2021H1"),
    percent("F4", "93.4", "F2", "F3"),
    stated("F5", "229", "2021"),
    stated("F6", "153", "2021H2"),
)


@pytest.fixture
def compare(tmp_path: Path) -> Any:
    """Compares publications with the played set and whatever else is given."""

    def run(*events: dict[str, Any]) -> Published:
        file = tmp_path / "events.jsonl"
        lines = [json.dumps(event, ensure_ascii=False) for event in (*played(), *events)]
        file.write_text("\n".join(lines), encoding="utf-8")
        return compare_published(from_files([file], Catalog.load()), Versions("catalogue", "law"))

    return run


def rules(published: Published) -> list[str]:
    """The rules of its findings."""
    return [finding.rule for finding in published.findings]


def test_the_press_figures_are_right(compare: Any) -> None:
    """All six figures of the press conference equal the recomputed ones."""
    published = compare(publication("p1", "2022-09-09", *PRESS))
    assert rules(published) == []
    values = {each.stated.ref: each.to_json()["recomputed_now"] for each in published.comparisons}
    assert {**values, "F4": values["F4"][:4]} == {
        "F1": "376",
        "F2": "147",
        "F3": "76",
        "F4": "93.4",
        "F5": "229",
        "F6": "153",
    }


def test_a_wrong_figure_is_a_finding_with_both_accounts(compare: Any) -> None:
    """375 stated instead of 376 is R61, shows both figures and asks the publisher to restate it."""
    (finding,) = compare(publication("p1", "2022-09-09", stated("F1", "375", "all"))).findings
    body = finding.to_json()
    assert (body["rule"], body["severity"]) == ("R61", "high")
    assert [(each["agency"], each["value"]["value"]) for each in body["accounts"]] == [
        ("spp", "375"),
        ("bus", "376"),
    ]
    assert body["suggestion"] == {"type": "publication.statistic_restated", "by": "spp"}


def test_a_wrong_growth_is_a_finding(compare: Any) -> None:
    """94 % instead of 93.4 is R62; 93 rounded to a whole number is right."""
    right = (*PRESS[1:3], percent("F4", "93", "F2", "F3"))
    wrong = (*PRESS[1:3], percent("F4", "94.0000", "F2", "F3"))
    assert rules(compare(publication("p1", "2022-09-09", *right))) == []
    assert rules(compare(publication("p1", "2022-09-09", *wrong))) == ["R62"]


def test_growth_without_base_is_recomputed_on_the_year_before(compare: Any) -> None:
    """A change that names no figures is that of its measure and period against the year before."""
    assert rules(compare(publication("p1", "2022-09-09", percent("F1", "93.4", None, None)))) == []


def test_halves_that_do_not_add_up(compare: Any) -> None:
    """Two half-years that do not add up to the year stated are R61 beside the wrong figure itself."""
    published = compare(publication("p1", "2022-09-09", *PRESS[2:5], stated("F6", "150", "2021H2")))
    together = [finding for finding in published.together if finding.rule == "R61"]
    assert len(together) == 1
    assert "226" in together[0].because.en


def test_late_events_ask_for_a_restatement(compare: Any) -> None:
    """An indictment of 2021 admitted after publication makes the published H2 2021 R64, naming the event."""
    late = {"event": LATE, "digest": "ab" * 32, "admitted_at": "2022-10-01T09:00:00+08:00"}
    published = compare(publication("p1", "2022-09-09", *PRESS), late)
    found = {finding.accounts[0].value["period"]: finding for finding in published.findings}
    assert {finding.rule for finding in published.findings} == {"R64"}
    assert set(found) == {"2021H2", "2021", "2021-01-01..2022-06-30"}
    assert all("ab" * 6 in finding.because.en for finding in found.values())
    assert all(bytes.fromhex("ab" * 32) in finding.causes for finding in found.values())


def test_a_restatement_settles_it(compare: Any) -> None:
    """Once H2 2021 is restated with its cause nothing is open, and the old version still stands."""
    late = {"event": LATE, "digest": "ab" * 32, "admitted_at": "2022-10-01T09:00:00+08:00"}
    first = publication("p1", "2022-09-09", stated("F1", "153", "2021H2"))
    second = publication(
        "p2",
        "2022-11-01",
        stated("F1", "154", "2021H2", version=2),
        previous=[stated("F1", "153", "2021H2")],
        reasons="a late event",
        causes=["ab" * 32],
    )
    published = compare(first, late, second)
    assert rules(published) == []
    assert [each.to_json()["superseded"] for each in published.comparisons] == [True, False]


def test_a_restatement_must_name_its_causes(compare: Any) -> None:
    """A restatement that does not name the late event is R64."""
    late = {"event": LATE, "digest": "ab" * 32, "admitted_at": "2022-10-01T09:00:00+08:00"}
    first = publication("p1", "2022-09-09", stated("F1", "153", "2021H2"))
    second = publication(
        "p2", "2022-11-01", stated("F1", "154", "2021H2", version=2), reasons="unsaid", causes=[]
    )
    (finding,) = compare(first, late, second).findings
    assert (finding.rule, "does not name" in finding.because.en) == ("R64", True)


def test_as_of_bounds_what_was_counted(compare: Any) -> None:
    """A figure computed as of a time is held against what the bus knew then, not at publication."""
    late = {"event": LATE, "admitted_at": "2022-09-01T09:00:00+08:00"}
    figures = (stated("F1", "153", "2021H2"),)
    assert rules(compare(late, publication("p1", "2022-09-09", *figures))) == ["R61"]
    as_of = "2022-08-31T23:59:59+08:00"
    assert rules(compare(late, publication("p1", "2022-09-09", *figures, as_of=as_of))) == ["R64"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"scope": ""}, "R65"),
        ({"scope": "various crimes"}, "R65"),
        ({"unit": "cases"}, "R60"),
        ({"cohort": "whatever"}, "R63"),
        ({"scope": "证券期货犯罪"}, "R61"),
    ],
)
def test_what_is_not_labelled_is_not_compared(compare: Any, change: dict[str, str], rule: str) -> None:
    """Without known scope, unit or cohort a figure is a finding; under another label it is another."""
    published = compare(publication("p1", "2022-09-09", stated("F1", "376", "all", **change)))
    assert rules(published) == [rule]


def test_a_mixed_ratio_is_a_finding_unless_meant(compare: Any) -> None:
    """Persons over cases is R60 and, above 100 per cent, R63; marked as meant it is only recomputed."""
    cases = stated("F2", "87", "2021", measure="cases_prosecuted", unit="cases")
    share = percent("F3", "263.2", "F1", "F2", kind="ratio", measure="persons_a_case")
    figures = (stated("F1", "229", "2021"), cases)
    assert set(rules(compare(publication("p1", "2022-09-09", *figures, share)))) == {"R60", "R63"}
    meant = {**share, "mixed": True}
    assert rules(compare(publication("p1", "2022-09-09", *figures, meant))) == []


def test_what_nobody_counts_on_the_bus_is_not_compared(compare: Any) -> None:
    """A measure without events, such as cases handled by the regulator, is shown but no finding."""
    handled = stated("F1", "609", "2021", measure="cases_handled", unit="cases")
    published = compare(publication("p1", "2022-09-09", handled))
    assert (rules(published), published.comparisons[0].now) == ([], None)


def test_findings_keep_their_ids_in_any_order(compare: Any) -> None:
    """The same events in another order give the same findings under the same ids."""
    late = {"event": LATE, "digest": "ab" * 32, "admitted_at": "2022-10-01T09:00:00+08:00"}
    press = publication("p1", "2022-09-09", *PRESS)
    one, other = compare(press, late).findings, compare(late, press).findings
    assert [finding.to_json() for finding in one] == [finding.to_json() for finding in other]
    assert len({finding.id for finding in one}) == 3
