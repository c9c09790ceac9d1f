"""What failed at an agency is found at its desk, in plain words, and is driven again by who says why."""

import re
from html import unescape
from pathlib import Path

import pytest

from casebus_consumers.door.attachments.store import Annex
from casebus_consumers.door.deliveries import Message
from casebus_consumers.door.webhooks.store import WebhookStore, webhooks_file
from casebus_consumers.notifier.store import NotifyStore, notify_file
from casebus_schemas.errors import REFUSAL_CODES
from support.events.signed_events import chain
from support.scenes.desk_scene import Browser, DeskScene

NUMBER = "11010519491231002X"
DETAIL = f"no key of that id, found {NUMBER}"
DIGEST = "ab" * 32


def text_of(page: str) -> str:
    """What a page shows, without its markup."""
    return unescape(re.sub(r"<[^>]*>", " ", page))


def tags_of(page: str) -> list[str]:
    """The dead letters that a page lets pick."""
    return re.findall(r'name="pick-([0-9a-f]{24})"', page)


def link_to(page: str, words: str) -> str:
    """The address of the dead letter with these words."""
    found = re.search(rf'href="(/dead-letters/[0-9a-f]{{24}})"><b>[^<]*{words}', page)
    assert found is not None
    return found[1]


@pytest.fixture
def failed(scene: DeskScene, tmp_path: Path) -> DeskScene:
    """The bus refused a referral; a system, a mailbox and a sender of a document are away."""
    scene.refuse(detail=DETAIL)
    hooks = WebhookStore(webhooks_file(tmp_path))
    hooks.add("ledger", "https://x.example/", ["notice.arrived"], asymmetric=False, places=(-1, None, -1))
    hooks.take("ledger", [Message("m1", "{}"), Message("m2", "{}")])
    mails = NotifyStore(notify_file(tmp_path))
    mails.add(["one@csrc.example"], (-1, None), 0)
    mails.write("one@csrc.example", ["k"], ("mail1", "x"), None, looked=False)
    for name, id, store in (
        ("ledger", "m1", hooks),
        ("ledger", "m2", hooks),
        ("one@csrc.example", "mail1", mails),
    ):
        store.note_missed(name, id, f"HTTP 500 {NUMBER}", again_ms=None, pause_ms=10_000_000)
    documents = scene.door.documents
    documents.note("inbox", 1, [Annex("ee" * 32, DIGEST, chain(1), "mps", 1_000, "application/pdf", False)])
    for _ in range(3):
        documents.missed(DIGEST, "ConnectionRefusedError", 86_400)
    return scene


def test_every_dead_letter_says_what_failed_and_what_helps(failed: DeskScene) -> None:
    """In either language, without the numbers that strangers wrote."""
    browser = failed.browser()
    page = browser.get("/dead-letters").text
    for words in ("总线拒收", "再次处理", "HTTP 500", "ConnectionRefusedError", "给系统“ledger”的通知"):
        assert words in text_of(page)
    assert NUMBER not in page
    browser.english()
    page = text_of(browser.get("/dead-letters").text)
    for words in ("Once the key is announced", "Message to the system ledger", "tried 3 times"):
        assert words in page
    assert re.findall("[\u4e00-\u9fff]+", page.replace("中文", "")) == []


def test_each_code_of_a_refusal_has_its_remedy(scene: DeskScene) -> None:
    """In both languages."""
    from casebus_consumers.desk.shown.refusals import refusal_in_words, remedy_of
    from casebus_consumers.desk.words import LANGUAGES, Words

    for code in REFUSAL_CODES:
        for language in LANGUAGES:
            w = Words(language)
            assert remedy_of(code, w)
            assert refusal_in_words(code, "", w) != code


def test_kind_and_search_narrow_the_list(failed: DeskScene) -> None:
    """What is asked for, and no other."""
    browser = failed.browser()
    assert len(tags_of(browser.get("/dead-letters").text)) == 4
    assert len(tags_of(browser.get("/dead-letters?kind=webhook").text)) == 2
    assert len(tags_of(browser.get("/dead-letters?q=M2").text)) == 1
    assert "没有符合条件" in browser.get("/dead-letters?q=nothing").text


def test_a_refused_event_is_looked_at_masked(failed: DeskScene) -> None:
    """Its facts without names; that somebody looked stands in the log; an operator sees no content."""
    browser = failed.browser()
    path = link_to(browser.get("/dead-letters").text, "移送")
    page = browser.get(path).text
    assert "王＊＊" in page
    assert "王小二" not in page
    acts = [(one["act"], one["object"]) for one in failed.desk.accesses.before(10**9, 5)]
    assert any(act == "looked" and str(about).startswith("refused:") for act, about in acts)
    operator = failed.browser("operator").get(path).text
    assert "王" not in operator
    assert "您的角色看不到" in operator


def _try(browser: Browser, **fields: str) -> str:
    return browser.submit("/dead-letters", step="try", **fields).text


def test_a_dry_run_changes_nothing(failed: DeskScene, tmp_path: Path) -> None:
    """It says of each what would come of it."""
    browser = failed.browser()
    tags = tags_of(browser.get("/dead-letters").text)
    page = text_of(_try(browser, **{f"pick-{tag}": "1" for tag in tags}))
    for words in ("该系统再次", "再次交给邮件服务器", "立即再次取回", "尚未执行"):
        assert words.replace("该系统再次", "立即再次通知该系统") in page
    assert WebhookStore(webhooks_file(tmp_path)).counts("ledger")["failed"] == 2
    assert not [one for one in failed.desk.accesses.before(10**9, 50) if one["act"] == "redrove"]


def test_one_is_driven_again_with_a_reason(failed: DeskScene, tmp_path: Path) -> None:
    """By name, time and reason in the log; without a reason nothing is done."""
    browser = failed.browser("operator")
    (tag,) = tags_of(browser.get("/dead-letters?q=M2").text)
    short = browser.submit("/dead-letters", step="do", reason="ok", **{f"pick-{tag}": "1"})
    assert short.status_code == 422
    assert "请写明理由" in short.text
    store = WebhookStore(webhooks_file(tmp_path))
    assert store.counts("ledger") == {"waiting": 0, "told": 0, "failed": 2}
    done = browser.submit("/dead-letters", step="do", reason="系统已恢复", **{f"pick-{tag}": "1"})
    assert "已安排立即再试" in done.text
    assert store.counts("ledger") == {"waiting": 1, "told": 0, "failed": 1}
    (noted,) = [one for one in failed.desk.accesses.before(10**9, 50) if one["act"] == "redrove"]
    assert (noted["officer"], noted["object"], noted["reason"]) == (
        "operator",
        "webhook:ledger/m2",
        "系统已恢复",
    )


def test_all_that_match_are_driven_again(failed: DeskScene, tmp_path: Path) -> None:
    """Those of the search, and no other; an event that the bus refused is the bus operator's to drive."""
    browser = failed.browser()
    page = _try(browser, all="1", kind="", q="")
    fields = {f"pick-{tag}": "1" for tag in tags_of(page)}
    assert len(fields) == 4
    browser.submit("/dead-letters", step="do", reason="都已恢复", **fields)
    assert WebhookStore(webhooks_file(tmp_path)).counts("ledger")["waiting"] == 2
    assert NotifyStore(notify_file(tmp_path)).counts("one@csrc.example")["waiting"] == 1
    assert failed.door.documents.due() is not None
    assert tags_of(browser.get("/dead-letters").text) == []
    assert "移送" in browser.get("/dead-letters").text


def test_who_may_not_mend_sees_none(failed: DeskScene) -> None:
    """An auditor looks at ledgers and logs; the page is not in the head."""
    auditor = failed.browser("auditor")
    assert auditor.get("/dead-letters").status_code == 403
    assert "/dead-letters" not in auditor.get("/inbox").text


def test_without_any_the_page_says_what_it_is_for(scene: DeskScene) -> None:
    """Empty states teach."""
    assert "没有死信" in scene.browser().get("/dead-letters").text
    assert scene.browser().get(f"/dead-letters/{'0' * 24}").status_code == 404
