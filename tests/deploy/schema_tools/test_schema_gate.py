"""The gate as a command: this package, files, folders, an earlier state; messages and exit codes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from casebus_deploy.cli.schema_gate import app
from casebus_deploy.schema_tools.schema_gate import candidates, earlier_lock, own_package, package_folder
from casebus_schemas.catalogue.avro_files import event_file, inlined
from casebus_schemas.catalogue.schema_lock import LOCK_NAME, lock_text
from casebus_schemas.errors import UsageError

TYPE = "referral.filed"


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def _next(folder: Path, change: Callable[[dict[str, Any]], None], name: str = f"{TYPE}.2.avsc") -> Path:
    """A candidate made from the published version."""
    schema = event_file(TYPE, 1)
    change(schema)
    file = folder / name
    file.write_text(json.dumps(schema, ensure_ascii=False), encoding="utf-8")
    return file


def _add(**more: Any) -> Callable[[dict[str, Any]], None]:
    field = {
        "name": "desk",
        "type": ["null", "string"],
        "default": None,
        "pii": "none",
        "doc": "Desk.",
        "zh": "科室",
    }
    return lambda schema: schema["fields"].insert(-1, {**field, **more})


def test_this_package_passes() -> None:
    """Every schema, every shared type and the lock of this package pass their own gate."""
    assert [(one.subject, p.text) for one in own_package(check=True) for p in one.problems] == []


def test_check_says_ok() -> None:
    """Without anything wrong the command says how much it read and exits 0."""
    result = _run("check", "--json")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert (said["ok"], said["problems"]) == (True, [])


def test_a_legal_next_version(tmp_path: Path) -> None:
    """A candidate with one more nullable field passes check and lint."""
    file = str(_next(tmp_path, _add()))
    assert _run("check", file).exit_code == 0
    assert _run("lint", file).exit_code == 0


def test_a_breaking_next_version(tmp_path: Path) -> None:
    """A candidate that old readers cannot read exits 1, with file, pointer and remedy in one line."""
    file = _next(tmp_path, lambda schema: schema["fields"][0].update(type="string", pii="none"))
    result = _run("check", str(file))
    assert result.exit_code == 1
    line = next(row for row in result.stdout.splitlines() if "type-mismatch" in row)
    assert line.startswith(f"{file}: [type-mismatch] /fields/0/type (envelope): ")
    assert "found string; expected record" in line
    assert "keep the type and add a new field beside it" in line


def test_a_shared_type_of_the_candidate_itself(tmp_path: Path) -> None:
    """A candidate may bring a new version of a shared type; what that breaks is found through the event."""
    (tmp_path / "shared").mkdir()
    amount = json.loads((package_folder() / "avro" / "shared" / "Amount.1.avsc").read_text(encoding="utf-8"))
    (value,) = [field for field in amount["fields"] if field["name"] == "value"]
    value["type"]["scale"] = 4
    (tmp_path / "shared" / "Amount.2.avsc").write_text(json.dumps(amount), encoding="utf-8")

    def use(schema: dict[str, Any]) -> None:
        text = json.dumps(schema).replace("casebus.Amount@1", "casebus.Amount@2")
        schema.update(json.loads(text))

    schema = event_file("referral.submitted", 1)
    use(schema)
    file = tmp_path / "referral.submitted.2.avsc"
    file.write_text(json.dumps(schema), encoding="utf-8")
    (judged,) = candidates([file], check=True)
    assert [(p.rule, p.place.path, p.found, p.expected) for p in judged.problems] == [
        ("frozen-logical-type", "amounts[].value", 4, 2)
    ]


def test_plain_avro_from_elsewhere(tmp_path: Path) -> None:
    """A self-contained schema under any file name finds its past by the record's name."""
    schema = inlined(TYPE, 1)
    file = tmp_path / "theirs.avsc"
    file.write_text(json.dumps(schema), encoding="utf-8")
    (same,) = candidates([file], check=True)
    assert (same.problems, same.alone) == ((), False)
    schema["fields"].insert(-1, {"name": "desk", "type": "long", "doc": "Desk."})
    file.write_text(json.dumps(schema), encoding="utf-8")
    (judged,) = candidates([file], check=True)
    assert [problem.rule for problem in judged.problems] == ["reader-field-missing-default-value"]


def test_a_published_version_does_not_change(tmp_path: Path) -> None:
    """A file of a version that is published must be that schema."""
    file = _next(tmp_path, _add(), f"{TYPE}.1.avsc")
    (judged,) = candidates([file], check=True)
    assert [problem.rule for problem in judged.problems] == ["lock"]
    assert "make the change version 2" in judged.problems[0].text


def test_candidates_meet_each_other(tmp_path: Path) -> None:
    """Two new versions in one folder are judged in their order, each against all before it."""
    _next(tmp_path, _add())

    def other_type(schema: dict[str, Any]) -> None:
        _add(type=["null", "long"])(schema)

    _next(tmp_path, other_type, f"{TYPE}.3.avsc")
    second, third = candidates([tmp_path], check=True)
    assert second.problems == ()
    assert [problem.rule for problem in third.problems] == ["missing-union-branch"]


def test_against_another_folder(tmp_path: Path) -> None:
    """With --against the past is what that folder holds, not this package."""
    past, new = tmp_path / "past", tmp_path / "new"
    past.mkdir()
    new.mkdir()
    _next(past, _add(type=["null", "long"]), f"{TYPE}.1.avsc")
    file = _next(new, _add())
    assert _run("check", str(file)).exit_code == 0
    result = _run("check", str(file), "--against", str(past), "--json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)["problems"]
    assert (problem["subject"], problem["rule"], problem["path"]) == (
        str(file),
        "missing-union-branch",
        "desk",
    )


def test_this_package_against_an_earlier_one(tmp_path: Path) -> None:
    """An id that an earlier state gave to another schema is told, though every schema reads every other."""
    lock = tmp_path / LOCK_NAME
    lock.write_text(lock_text(), encoding="utf-8")
    assert earlier_lock(tmp_path).problems == ()
    first = lock_text().splitlines()[1]
    lock.write_text(lock_text().replace(first, f"100001 gone.away 1 {'ab' * 32}"), encoding="utf-8")
    (problem,) = earlier_lock(tmp_path).problems
    assert problem.message == "the id 100001 was given to gone.away version 1"


def test_a_new_type_is_judged_by_itself(tmp_path: Path) -> None:
    """A record name that nobody knows is said to be new."""
    file = _next(
        tmp_path, lambda schema: schema.update(name="casebus.referral.Novel"), "referral.novel.1.avsc"
    )
    result = _run("check", str(file))
    assert result.exit_code == 0
    assert "a new type" in result.stdout


def test_a_renamed_record_meets_its_past(tmp_path: Path) -> None:
    """Another record name in a file of a known type is refused, not taken for a new type."""
    file = _next(tmp_path, lambda schema: schema.update(name="casebus.referral.Novel"))
    (judged,) = candidates([file], check=True)
    assert {"frozen-name", "event-form"} <= {problem.rule for problem in judged.problems}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_add(doc=""), "undocumented"),
        (_add(zh=""), "undocumented"),
        (_add(pii="high"), "pii"),
        (lambda schema: schema["fields"].reverse(), "event-form"),
        (_add(type=["null", "casebus.Nowhere"]), "malformed"),
    ],
)
def test_lint_of_a_file(tmp_path: Path, change: Callable[[dict[str, Any]], None], rule: str) -> None:
    """Lint alone finds what a file lacks by itself."""
    result = _run("lint", str(_next(tmp_path, change)))
    assert result.exit_code == 1
    assert f"[{rule}]" in result.stdout


@pytest.mark.parametrize(
    "text", ["3", "[]", '{"type": "record"}', '{"name": 1}', '"casebus.Nowhere"', "null"]
)
def test_what_is_no_schema_is_told_not_raised(tmp_path: Path, text: str) -> None:
    """JSON of any shape gets a verdict."""
    file = tmp_path / "x.avsc"
    file.write_text(text, encoding="utf-8")
    (judged,) = candidates([file], check=True)
    assert judged.problems


def test_wrong_use() -> None:
    """A path that is not there and a file that is no JSON are the caller's to mend."""
    with pytest.raises(UsageError, match="no such schema file"):
        list(candidates([Path("/nowhere/x.avsc")], check=True))
    with pytest.raises(UsageError, match="not a schema file"):
        list(candidates([Path(__file__)], check=True))
