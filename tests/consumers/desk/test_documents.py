"""Documents at a case: which are here, which are not, and the file of one for those who may see the case."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casebus_consumers.door.attachments.fetching import Attachments
from casebus_consumers.liaison.cases_cli import app
from support.cases.chains import amount, at, suspects
from support.events.signed_events import chain
from support.reconciler.desk import envelope_at
from support.scenes.desk_scene import DeskScene
from support.scenes.door_children import connection_of

HERE, AWAY = b"the report", b"never put into the store"
NUMBER = "110108197001011234"


def annex(title: str, document: bytes | None, kind: str = "other") -> dict[str, Any]:
    """An annex of an event; without a document its event gives no digest."""
    return {
        "kind": kind,
        "title": title,
        "sha256": None if document is None else sha256(document).digest(),
        "size": None if document is None else len(document),
        "media_type": "application/pdf",
    }


def with_documents(scene: DeskScene) -> str:
    """A referral of the regulator that names three documents; one is stored."""
    data = {
        "envelope": envelope_at("2022-09-28", to=["mps"]),
        "suspects": suspects("姜某君"),
        "charges": [{"suspect": "S1", "article": "180(4)"}],
        "amounts": [amount("illegal_gain", "46190000.00", "2009-04-01", "2013-02-28")],
        "annexes": [
            annex("调查报告", HERE, "investigation_report"),
            annex(f"账户 {NUMBER[:14]}", AWAY),
            annex("清单", None),
        ],
    }
    scene.say("referral.submitted", data, chain(7), at("2022-09-28T10:00"))
    scene.arrive()
    attachments = scene.desk.door._threads["attachments"]
    assert isinstance(attachments, Attachments)
    attachments.look()
    scene.desk.door.documents.add([HERE])
    return str(chain(7))


def test_documents_stand_at_the_case(scene: DeskScene) -> None:
    """Each with its kind, size and state; a title's long number is masked; what has no digest says so."""
    case = with_documents(scene)
    page = scene.browser().get(f"/cases/{case}").text
    for said in ("调查报告", "10 B", "已存", "缺失", "仅列名称"):
        assert said in page, said
    assert NUMBER[:14] not in page
    assert page.count(f"/cases/{case}/documents/") == 1


def test_the_file_of_a_document_is_given_and_that_is_logged(scene: DeskScene) -> None:
    """As a download that no browser shows within the desk, with its case; nothing else is to be had so."""
    case = with_documents(scene)
    browser = scene.browser()
    here, away = (sha256(one).hexdigest() for one in (HERE, AWAY))
    answer = browser.get(f"/cases/{case}/documents/{here}")
    assert (answer.status_code, answer.content) == (200, HERE)
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    (access, *_) = [one for one in scene.desk.accesses.before(1 << 60, 9) if one["act"] == "document"]
    assert access["object"] == f"{case} {here}"
    other = scene.desk.glance().cases.keys() - {case}
    for path in (
        f"/cases/{case}/documents/{away}",
        f"/cases/{case}/documents/..%2f..%2fattachments.db",
        *(f"/cases/{one}/documents/{here}" for one in other),
    ):
        assert browser.get(path).status_code == 404, path


def test_the_command_lists_them_too(
    scene: DeskScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`casebus case --agency` lists them, as text and as JSON under `attachments`."""
    monkeypatch.setattr("casebus_consumers.own.opening.CATCH_UP_S", 0.2)
    case = with_documents(scene)
    arguments = ["case", case, "--agency", "csrc", "--connection", str(connection_of(tmp_path))]
    lines = CliRunner().invoke(app, arguments).stdout
    assert "附件 document  调查报告 investigation report《调查报告》  csrc  10 B  已存 stored" in lines
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)["attachments"]
    assert [one["state"] for one in found] == ["stored", "missing", "named"]
    assert (found[0]["from"], found[0]["sha256"]) == ("csrc", sha256(HERE).hexdigest())
