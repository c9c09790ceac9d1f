"""Lists carried away as files, and the log of accesses: what is in them, for whom, and no formula."""

import csv
import io
import re
from html import unescape

import openpyxl
import pytest

from support.cases.chains import at
from support.events.signed_events import chain
from support.reconciler.desk import envelope_at
from support.scenes.desk_scene import DeskScene

LISTS = ("inbox", "due", "cases", "findings", "search", "accesses")
FORMULA = '=HYPERLINK("https://evil.example","x")'
HOSTILE = (FORMULA, "+1+1", "-2+3", "@SUM(A1)")


def text_of(page: str) -> str:
    """What a page shows, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.fixture
def told(scene: DeskScene) -> DeskScene:
    """Cases whose numbers try to be formulas."""
    for number, text in enumerate(HOSTILE, start=20):
        envelope = envelope_at("2022-10-01", to=["csrc"])
        envelope["local_refs"] = [{"issuer": "mps", "scheme": "case", "value": text}]
        data = {"envelope": envelope, "source": "exchange_alert", "conduct": text}
        scene.hear(
            scene.admitter.speaker("mps").say("clue.submitted", data, chain(number)), at("2022-10-02T09:00")
        )
    scene.arrive()
    scene.announce()
    return scene


def rows(scene: DeskScene, file: str, role: str = "auditor") -> list[list[str]]:
    """The rows of a file as a program reads it."""
    answer = scene.browser(role).get(f"/export/{file}")
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers["content-disposition"].startswith('attachment; filename="casebus-')
    if ".csv" in file:
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    found = []
    for row in book.active.iter_rows():
        assert {cell.data_type for cell in row} <= {"s", "inlineStr", "n"}  # "n" are empty cells
        found.append(["" if cell.value is None else str(cell.value) for cell in row])
    return found


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_cell_is_a_formula(told: DeskScene, name: str, form: str) -> None:
    """Whatever strangers and officers wrote: what would begin like a formula begins with an apostrophe."""
    browser = told.browser("auditor")
    browser.get(f"/audit/accesses?about={FORMULA}")
    for text in (FORMULA, "\t=1", "\r=1"):
        told.desk.accesses.note(told.officers["head"], "unmasked", chain(20), text)
    query = "?agency=mps" if name == "search" else ""
    found = rows(told, f"{name}.{form}{query}")
    cells = [cell for row in found for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert len(found) > 1
    if name in ("search", "cases", "accesses"):
        assert any("HYPERLINK" in cell for cell in cells)


def test_a_file_holds_what_the_page_shows(told: DeskScene) -> None:
    """As it is narrowed there, all pages of it, and personal data masked."""
    every = rows(told, "inbox.csv", "liaison")
    assert len(every) - 1 == told.desk.notices.counts()["all"]
    assert 1 < len(rows(told, "inbox.csv?from=bus", "liaison")) < len(every)
    assert rows(told, "cases.csv?q=姜某君", "liaison")[1][1] == chain(1)
    findings = rows(told, "findings.csv?see=high")
    assert {row[0] for row in findings[1:]} == {"重要"}
    duties = rows(told, "due.csv?state=over")
    assert len(duties) - 1 == sum(1 for one in told.desk.glance().duties if one["met"])
    assert rows(told, "search.csv?q=%3DHYPER")[1][1] == chain(20)


def test_english_files_have_english_heads(told: DeskScene) -> None:
    """In the reader's language."""
    browser = told.browser()
    browser.english()
    first = browser.get("/export/due.csv").content.decode("utf-8-sig").splitlines()[0]
    assert first.startswith("Case,Chain,Term")


def test_a_file_is_logged_and_not_for_everybody(told: DeskScene) -> None:
    """Who carried which list away with how many rows; the audit's lists are the auditor's."""
    browser = told.browser("liaison")
    assert browser.get("/export/accesses.csv").status_code == 403
    assert browser.get("/export/search.xlsx?q=x").status_code == 403
    for file in ("passwords.csv", "cases.pdf", "cases", "..%2fdesk.csv"):
        assert browser.get(f"/export/{file}").status_code == 404
    number = len(rows(told, "cases.csv", "head")) - 1
    noted = [one for one in told.desk.accesses.before(10_000, 100) if one["act"] == "exported"]
    assert [(one["officer"], one["object"]) for one in noted] == [("head", f"cases.csv, {number}")]


def test_the_log_of_accesses(told: DeskScene) -> None:
    """Who, what, when and why, by case name; narrowed by officer, act, object and day."""
    page = f"/cases/{chain(1)}"
    told.browser("head").get(page)
    told.browser("liaison").submit(f"{page}/unmask", page, reason="核对嫌疑人身份")
    browser = told.browser("auditor")
    shown = text_of(browser.get("/audit/accesses").text)
    for words in ("打开 姜某君、柳某", "查看个人信息", "核对嫌疑人身份", "登录"):
        assert words in shown
    narrowed = browser.get("/audit/accesses?officer=head&act=opened&about=/cases/").text
    assert set(re.findall(r'<th scope="row">(\w+)', narrowed)) == {"head"}
    assert "核对嫌疑人身份" not in narrowed
    assert "没有符合条件的记录" in browser.get("/audit/accesses?to=2020-01-01").text
    assert told.browser("head").get("/audit/accesses").status_code == 403


def test_a_long_log_has_pages(told: DeskScene) -> None:
    """Older accesses stand behind the newer ones; none is left out."""
    for number in range(230):
        told.desk.accesses.note(told.officers["head"], "opened", f"/n/{number}")
    browser, seen, path = told.browser("auditor"), [], "/audit/accesses?about=/n/"
    while path:
        page = browser.get(path).text
        seen += re.findall(r"/n/(\d+)</td>", page)
        older = re.search(r'href="([^"]*before=\d+[^"]*)">更早', page)
        path = unescape(older[1]) if older else ""
    assert seen == [str(number) for number in reversed(range(230))]
