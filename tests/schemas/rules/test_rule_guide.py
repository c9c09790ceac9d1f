"""The how-to page for rules: the two files that it tells to write are all that a rule needs."""

from pathlib import Path

import pytest

from support.cases.guides import copied_package, run_with, written

PAGE = "add-a-rule.md"
RULE, CASES = "schemas/casebus_schemas/rules/chain/r90.py", "tests/rules/R90.yaml"
PROGRAM = """
import sys
from pathlib import Path
import support.cases.rule_cases as read
read.FOLDER = Path(sys.argv[1])
from rules import test_rule_cases as rule_cases
for case in rule_cases.CASES:
    rule_cases.test_a_case_finds_what_its_file_says(case)
    if case.part == "found":
        rule_cases.test_a_rule_that_is_switched_off_finds_nothing(case)
print(*sorted({case.part for case in rule_cases.CASES}))
"""


@pytest.mark.thorough
def test_a_rule_is_two_files(tmp_path: Path) -> None:
    """With the page's rule and cases it finds what it should, is switched off, shown and on the page."""
    package = copied_package(tmp_path)
    (package.parent.parent / RULE).write_text(written(PAGE, RULE), encoding="utf-8")
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "R90.yaml").write_text(written(PAGE, CASES), encoding="utf-8")
    assert run_with(package, "-c", PROGRAM, str(folder)).split() == ["closes", "found", "near_miss"]
    shown = run_with(package, "-m", "casebus_deploy.cli.main", "law", "show", "R90")
    assert "立案未注明案号 / a case filed without a number" in shown
    page = "from casebus_deploy.pages.law_page import law_page; print(law_page())"
    assert "### R90" in run_with(package, "-c", page)
