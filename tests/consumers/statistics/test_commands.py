"""`casebus statistics` over files: what it prints, its JSON and its exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from casebus_consumers.statistics.cli import app
from casebus_schemas.errors import UsageError
from casebus_schemas.statistics.ratios import RatioRefused
from support.cases.prosecutions import played
from support.cases.statistics_chains import PLAYED


def run(*arguments: str) -> Result:
    """Runs a command."""
    return CliRunner().invoke(app, list(arguments))


def body(*arguments: str) -> Any:
    """The JSON of a command that went well."""
    result = run(*arguments, "--json")
    assert result.exception is None, result.output
    return json.loads(result.stdout)


def test_without_options_all_press_figures_come_out() -> None:
    """Half-years, the full year and the whole, growth with its base; people read the same values."""
    found = {figure["period"]: figure for figure in body(str(PLAYED))}
    assert {period: figure["value"] for period, figure in found.items()} == {
        "2021H1": 76,
        "2021H2": 153,
        "2022H1": 147,
        "2021": 229,
        "2021-01-01..2022-06-30": 376,
    }
    growth = found["2022H1"]["growth"]
    assert (growth["percent"], growth["base"], growth["base_period"]) == ("93.4", 76, "2021H1")
    assert growth["base_version"] == found["2021H1"]["version"]
    text = run(str(PLAYED)).stdout
    assert all(word in text for word in ("376 人", "+93.4 % 基数 base 76", "证券犯罪", "11 罪", "未经核实"))


def test_every_figure_carries_what_it_means() -> None:
    """Scope label, unit, cohort and version go with each figure, the lineage on request."""
    (figure,) = body("figures", str(PLAYED), "--period", "2021H1", "--lineage")
    assert (figure["scope"]["label"], figure["scope"]["crimes"]) == ("证券犯罪 / securities crimes", 11)
    assert (figure["unit"], figure["unit_label"]) == ("persons", "人 / persons")
    assert figure["cohort"] == {"by": "outcome.prosecuted", "from": "2021-01-01", "to": "2021-06-30"}
    assert len(figure["version"]) == 16
    assert sum(line["adds"] for line in figure["lineage"]) == 76
    assert len(figure["lineage"]) == figure["source_count"]
    text = run(str(PLAYED), "-p", "2021H1", "--lineage").stdout
    assert all(line["digest"][:16] in text for line in figure["lineage"])


def test_since_shows_what_changed(tmp_path: Path) -> None:
    """With --since a figure shows what it was as known then, and which event changed it."""
    file = tmp_path / "events.jsonl"
    first, *rest = played()
    late = {"event": first, "digest": "ab" * 32, "admitted_at": "2022-07-20T09:00:00+08:00"}
    file.write_text("\n".join(json.dumps(line) for line in (late, *rest)))
    (figure,) = body(str(file), "-p", "2021-01..2022-06", "--since", "2022-06-30")
    restated = figure["restatement"]
    assert figure["value"] == 376
    assert restated["before"]["value"] == 376 - len(first["data"]["suspects"])
    assert [cause["digest"] for cause in restated["causes"]] == ["ab" * 32]
    assert "重述 restated" in run(str(file), "--since", "2022-06-30").stdout
    (known,) = body(str(file), "-p", "2021-01..2022-06", "--known-at", "2022-06-30")
    assert known["value"] == restated["before"]["value"]


def test_growth_and_ratio() -> None:
    """Growth finds its base by itself, a share names both figures."""
    assert body("growth", "2022H1", str(PLAYED))["percent"] == "93.4"
    share = body("ratio", "persons_prosecuted@2021@securities:182", "persons-prosecuted@2021", str(PLAYED))
    assert (share["above"]["value"], share["below"]["value"]) == (14, 229)


def test_a_refused_ratio_says_why_and_a_mark_lets_it_through() -> None:
    """Persons over cases ends with the rules that object; with --mark it is computed and shown as marked."""
    asked = ("ratio", "persons_prosecuted@2021", "cases_prosecuted@2021", str(PLAYED))
    refused = run(*asked).exception
    assert isinstance(refused, RatioRefused)
    assert refused.exit_code == 1
    assert "R60" in refused.detail
    marked = run(*asked, "--mark", "persons a case")
    assert marked.exit_code == 0
    assert "标注 marked: persons a case" in marked.stdout
    assert "\n  R60  单位不同" in marked.stdout
    objections = body(*asked, "--mark", "persons a case")["objections"]
    assert [(each["rule"], set(each["because"])) for each in objections] == [
        ("R60", {"zh", "en"}),
        ("R63", {"zh", "en"}),
    ]


def test_check_without_publications_finds_nothing() -> None:
    """Exit 0 and a word where nothing was published."""
    result = run("check", str(PLAYED))
    assert (result.exit_code, "no published figures" in result.stdout) == (0, True)


def test_check_compares_publications(tmp_path: Path) -> None:
    """A wrong published figure ends with exit 1, both values and the finding."""
    figure = {
        "ref": "F1",
        "measure": "persons_prosecuted",
        "kind": "count",
        "value": "375",
        "unit": "persons",
        "scope": "securities",
        "cohort": "outcome.prosecuted",
        "period": {"from": "2021-01-01", "to": "2022-06-30"},
        "version": 1,
    }
    first = next(played())
    references = [{"issuer": "spp", "scheme": "publication", "value": "press"}]
    envelope = {**first["data"]["envelope"], "message_no": "press", "local_refs": references}
    publication = {
        **first,
        "id": None,
        "type": "publication.statistic_published",
        "time": "2022-09-09T15:00:00+08:00",
        "data": {"envelope": envelope, "title": "press conference", "figures": [figure]},
    }
    file = tmp_path / "press.jsonl"
    file.write_text(json.dumps(publication))
    result = run("check", str(PLAYED), str(file))
    assert result.exit_code == 1
    assert all(word in result.stdout for word in ("stated 375", "now 376", "R61"))
    found = json.loads(run("check", str(PLAYED), str(file), "--json").stdout)
    assert (found["ok"], [finding["rule"] for finding in found["findings"]]) == (False, ["R61"])


@pytest.mark.parametrize(
    "arguments",
    [("-p", "20211"), ("-m", "people"), ("-s", "crimes"), ("--known-at", "yesterday")],
)
def test_wrong_use_says_what_is_expected(arguments: tuple[str, str]) -> None:
    """Unknown periods, measures, scopes and times are usage errors that list what there is."""
    error = run(str(PLAYED), *arguments).exception
    assert isinstance(error, UsageError)
    assert "expected" in error.detail
