"""`casebus law holidays`: the notices by which terms are counted, and the check of a new one."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casebus_deploy.cli.holidays import app
from casebus_schemas.errors import UsageError
from casebus_schemas.law.notices import published_notices

NOTICE = """
year: 2027
number: 国办发明电〔2026〕99号
title: 国务院办公厅关于2027年部分节假日安排的通知
known_since: 2026-11-05
source: https://www.gov.cn/made-up
days_off: [2027-01-01, 2027-02-08]
workdays: [2027-02-20]
"""


def run(*arguments: str) -> str:
    """What `law holidays` prints."""
    done = CliRunner().invoke(app, ["holidays", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.fixture(autouse=True)
def _no_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASEBUS_CONNECTION", raising=False)


def test_all_notices_are_listed_with_what_is_not_verified() -> None:
    """A line a notice in the order in which they became known; the JSON has their days."""
    lines, bodies = run("list").splitlines(), json.loads(run("list", "--json"))
    assert len(lines) == len(bodies) == len(published_notices())
    assert lines[-1] == "2026  2025-11-04  国办发明电〔2025〕7号  国务院办公厅关于2026年部分节假日安排的通知"
    assert [("未核实" in line) for line in lines] == [not one.verified for one in published_notices()]
    assert "2026-02-16" in bodies[-1]["days_off"]
    assert bodies[-1]["workdays"][0] == "2026-01-04"


def test_a_notice_is_checked_and_nothing_ordered(tmp_path: Path) -> None:
    """A dry run says what the order would be, and from when it would count: a midnight of Beijing."""
    file = tmp_path / "notice.yaml"
    file.write_text(NOTICE, encoding="utf-8")
    said = run("add", str(file), "--dry-run")
    assert "days_off 2, workdays 1, as_usual 0" in said
    assert "未执行 nothing ordered" in said
    body = json.loads(run("add", str(file), "--dry-run", "--json"))
    assert (body["command"], body["in_force_from"][10:]) == (None, "T00:00:00+08:00")
    assert body["days_off"] == ["2027-01-01", "2027-02-08"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (NOTICE.replace("2027-02-20", "2027-02-19"), "workdays"),
        (NOTICE + "off: [2027-01-04]", "keys of a notice"),
        (NOTICE + "year: 2027", "cannot be read"),
        ("- 2027", "not a notice"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, named: str) -> None:
    """What no notice says is named, and nothing is ordered."""
    file = tmp_path / "notice.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=named):
        run("add", str(file))


def test_an_order_needs_a_bus(tmp_path: Path) -> None:
    """Without a connection there is nobody to order."""
    file = tmp_path / "notice.yaml"
    file.write_text(NOTICE, encoding="utf-8")
    with pytest.raises(UsageError, match="which bus"):
        run("add", str(file))
