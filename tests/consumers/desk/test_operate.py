"""An agency's operator sees how its programs run, and no case."""

import re
from html import unescape
from pathlib import Path

from typer.testing import CliRunner

from casebus_consumers.desk.cli import app
from casebus_consumers.desk.store import desk_file, operators_folder
from casebus_consumers.door.webhooks.store import WebhookStore, webhooks_file
from support.scenes.desk_scene import DeskScene


def text_of(page: str) -> str:
    """What a page shows, without its markup."""
    return unescape(re.sub(r"<[^>]*>", " ", page))


def test_the_page_says_what_runs_and_what_waits(scene: DeskScene, tmp_path: Path) -> None:
    """Programs, events that wait, systems that are told, disk; in either language alone."""
    hooks = WebhookStore(webhooks_file(tmp_path))
    hooks.add("ledger", "https://x.example/", ["notice.arrived"], asymmetric=False, places=(-1, None, -1))
    browser = scene.browser("operator")
    assert browser.get("/").headers["location"] == "/operate"
    page = text_of(browser.get("/operate").text)
    for words in ("发送事件", "系统“ledger”", "剩余", "outbox.db", "项需要处理", "尚未开始"):
        assert words in page, words
    assert "has not begun" not in page
    for thread in scene.door._threads.values():
        thread.well()
    assert "全部正常" in browser.get("/operate").text
    browser.english()
    page = text_of(browser.get("/operate").text).replace("中文", "")
    for words in ("Sends events", "system ledger", "All is well", "Delivered"):
        assert words in page, words
    assert re.findall("[\u4e00-\u9fff]+", page) == []


def test_an_operator_sees_no_case_and_an_officer_no_programs(scene: DeskScene) -> None:
    """Each has the pages of the role."""
    operator, liaison = scene.browser("operator"), scene.browser()
    assert "姜" not in operator.get("/operate").text + operator.get("/dead-letters").text
    assert operator.get("/cases").status_code == 403
    assert liaison.get("/operate").status_code == 403


def test_officers_of_the_buss_own_desk_are_added_by_the_same_command(tmp_path: Path) -> None:
    """Below the folder of connection.json."""
    file = tmp_path / "connection.json"
    file.write_text("{}")
    arguments = ["night", "--agency", "operator", "--role", "operator", "--connection", str(file)]
    assert CliRunner().invoke(app, ["add-officer", *arguments]).exit_code == 0
    listed = CliRunner().invoke(app, ["officers", "--agency", "operator", "--connection", str(file)])
    assert "night" in listed.stdout
    assert desk_file(operators_folder(tmp_path)).exists()
