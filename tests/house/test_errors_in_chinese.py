"""Whatever an officer can do wrong, or can be told of what is away, is said in Chinese, too."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

import pytest

from casebus_producers.connector import problem_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError, RetryLater, UsageError
from casebus_schemas.texts.errors import (
    FILLED_IN,
    clause_in_chinese,
    clauses,
    detail_in_chinese,
    text_in_chinese,
)
from casebus_schemas.wire.door import DoorProblem, parse_event

ROOT = Path(__file__).resolve().parents[2]
OFFICERS = (
    "consumers/casebus_consumers/liaison/*.py",
    "consumers/casebus_consumers/*.py",
    "consumers/casebus_consumers/desk/[!w]*.py",
    "consumers/casebus_consumers/desk/pages/case.py",
    "consumers/casebus_consumers/desk/pages/due.py",
    "consumers/casebus_consumers/desk/pages/proofs.py",
    "consumers/casebus_consumers/auditor/ledger_rows.py",
    "consumers/casebus_consumers/auditor/proof_rows.py",
    "consumers/casebus_consumers/auditor/proving.py",
    "consumers/casebus_consumers/auditor/proving_absence.py",
    "consumers/casebus_consumers/desk/compose/*.py",
    "consumers/casebus_consumers/desk/pages/*.py",
    "consumers/casebus_consumers/desk/oidc/*.py",
    "consumers/casebus_consumers/own/*.py",
    "consumers/casebus_consumers/door/addresses.py",
    "consumers/casebus_consumers/door/following.py",
    "consumers/casebus_consumers/door/outbound.py",
    "consumers/casebus_consumers/door/settings.py",
    "consumers/casebus_consumers/door/*/*.py",
    "producers/casebus_producers/*.py",
    "producers/casebus_producers/[!m]*/*.py",
    "schemas/casebus_schemas/admission/[!k]*.py",
    "schemas/casebus_schemas/agencies.py",
    "schemas/casebus_schemas/case/as_of.py",
    "schemas/casebus_schemas/connection.py",
    "deploy/casebus_deploy/cli/connection.py",
    "deploy/casebus_deploy/cli/enroll.py",
    "deploy/casebus_deploy/stack/enrolment.py",
    "schemas/casebus_schemas/enrolment/*.py",
    "schemas/casebus_schemas/evidence/key_file.py",
    "schemas/casebus_schemas/law/calendar.py",
    "schemas/casebus_schemas/law/notice_data.py",
    "schemas/casebus_schemas/rules/case_view.py",
    "schemas/casebus_schemas/rules/register.py",
    "schemas/casebus_schemas/sealed/*.py",
    "schemas/casebus_schemas/times.py",
    "schemas/casebus_schemas/wire/codec.py",
    "schemas/casebus_schemas/wire/door.py",
    "schemas/casebus_schemas/wire/json_form.py",
    "schemas/casebus_schemas/wire/signing.py",
    "services/casebus_services/reconciler/accounts_database.py",
    "services/casebus_services/reconciler/reading.py",
    "services/casebus_services/sqlite_reading.py",
)
"""Where the errors of inbox, receipts, case, obligations, findings, answer, correct, withdraw, check,
publish, law, enroll, connection and of the desk's proofs come from: their own files and what these read,
write and ask."""
_MESSAGE_AT = {"DoorProblem": 1, "Refused": 1, "Problem": 2}
"""Place of the message among the arguments; elsewhere it is the first."""
_ERRORS = {"AccessDenied", "BusError", "RetryLater", "StopService", "UsageError", *_MESSAGE_AT}
_SAID = {"message", "found", "expected", "remedy"}
_HAS_WORDS = re.compile("[A-Za-z]{2}")
FILES = sorted({file for pattern in OFFICERS for file in ROOT.glob(pattern)})


def clauses_of(source: str) -> set[str]:
    """All that the errors of a file say, with braces for what is filled in."""
    tree = ast.parse(source)
    constants = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    said: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ERRORS:
            parts = node.args[_MESSAGE_AT.get(node.func.id, 0) :]
            parts += [keyword.value for keyword in node.keywords if keyword.arg in _SAID]
            said.update(text for part in parts for text in _texts(part, constants))
    return {text for text in said if _HAS_WORDS.search(text.replace(FILLED_IN, ""))}


def _texts(node: ast.expr, constants: Mapping[str, ast.expr]) -> Iterator[str]:
    """The texts that an expression may have."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Constant(value=None):
            pass
        case ast.JoinedStr():
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else FILLED_IN for part in node.values
            )
        case ast.BinOp(op=ast.Add()):
            ends = list(_texts(node.right, constants))
            yield from (start + end for start in _texts(node.left, constants) for end in ends)
        case ast.IfExp():
            yield from _texts(node.body, constants)
            yield from _texts(node.orelse, constants)
        case ast.BoolOp():
            yield from (text for value in node.values for text in _texts(value, constants))
        case ast.Name() if node.id in constants:
            yield from _texts(constants[node.id], constants)
        case _:
            yield FILLED_IN


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_error_of_an_officer_is_only_english(file: Path) -> None:
    """Each clause of each error in the files behind an officer's commands stands in errors.yaml."""
    assert clauses_of(file.read_text(encoding="utf-8")) - set(clauses()["errors"]) == set()


def test_no_clause_stays_when_its_error_is_gone() -> None:
    """What no code says any more has left errors.yaml."""
    sources = [file.read_text(encoding="utf-8") for file in FILES]
    said = set().union(*map(clauses_of, sources))
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    written = {text for node in nodes if _is_text(node) for text in _texts(node, {})}
    assert set(clauses()["errors"]) - said - written == set()


def _is_text(node: ast.AST) -> TypeGuard[ast.expr]:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


@pytest.mark.parametrize(("english", "chinese"), clauses()["errors"].items())
def test_each_clause_keeps_what_is_filled_in(english: str, chinese: str) -> None:
    """A clause with values 1, 2, … filled in is found again, and its Chinese shows each of them once."""
    values = [f"<{number}>" for number in range(english.count(FILLED_IN))]
    said = clause_in_chinese(english.replace(FILLED_IN, "%s") % tuple(values) if values else english)
    assert said is not None
    assert sorted(re.findall("<[0-9]>", said)) == values
    assert len(re.findall(r"\{\d*\}", chinese)) == len(values)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            UsageError("no such agency", found="'police'", expected="one of csrc, mps"),
            "没有这样的机关，实为 'police'，应为 其中之一：csrc, mps",
        ),
        (
            RetryLater("2 of 5 events wait in the outbox", remedy="try again"),
            "5件事件中有2件在发件箱等待；请再试一次",
        ),
        (DoorProblem("/time", "missing", expected="the attribute time"), "/time: 缺失，应为 属性 time"),
        (BusError("the ledger's tiles are torn"), None),
    ],
)
def test_an_error_is_put_together_from_its_clauses(error: BusError, said: str | None) -> None:
    """Each part in Chinese around the same values; None for what only operators meet."""
    assert detail_in_chinese(error) == said
    assert text_in_chinese(error.detail) == said  # as a receipt says it


def test_problems_of_an_event_have_both_languages() -> None:
    """What is wrong with an event is said in Chinese beside the English detail."""
    with pytest.raises(DoorProblem) as raised:
        parse_event(
            {"specversion": "1.0", "source": "/csrc", "time": "yesterday", "data": {}}, Catalog.load()
        )
    said = {one["pointer"]: one["zh"] for one in problem_json(raised.value)["errors"]}
    assert said["#/type"] == "/type: 缺失，应为 属性 type"
    assert said["#/time"].startswith("/time: 不是时间，实为 'yesterday'，应为 带时区的 ISO 8601 时间")
