"""Drafts and the second officer: what needs one, who that may be, and what exactly is sent then."""

import json
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from casebus_consumers.desk.desk import Desk
from casebus_producers.own_events import own_events
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.door import DoorProblem, parse_event
from casebus_schemas.wire.json_text import canonical
from support.scenes.composing import act, begin, clue, press, referral
from support.scenes.desk_scene import PASSWORDS, QUICK, Browser, DeskScene
from support.scenes.html_form import PageForm

SECRET = "欧阳修远"
NUMBER = "11010519491231002X"


@pytest.fixture
def told(scene: DeskScene) -> DeskScene:
    """The door is caught up, and there is a second head."""
    scene.door._inbox.ready.set()
    scene.desk.officers.add("head2", PASSWORDS["head"], "head", shown="Second head")
    return scene


def handed_in(scene: DeskScene, browser: Browser | None = None) -> str:
    """A referral that waits for approval; gives the address of its page."""
    browser = browser or scene.browser()
    page = f"{referral(browser)}/review"
    assert act(browser, page, "hand_in").headers["location"] == f"{page}?done=handed_in"
    return page


def head2(scene: DeskScene) -> Browser:
    """The second head, signed in."""
    browser = scene.browser(None)
    assert browser.sign_in("head2", PASSWORDS["head"]).status_code == 303
    return browser


def test_a_referral_is_sent_by_a_head_who_did_not_write_it(told: DeskScene) -> None:
    """The liaison hands it in and cannot send it; the head sees all of it, with the law, and approves."""
    writer = told.browser()
    page = f"{referral(writer)}/review"
    assert "publish" not in PageForm(writer.get(page).text, page).buttons
    assert "第310号" in writer.get(page).text
    assert act(writer, page, "publish").status_code == 422
    act(writer, page, "hand_in")
    assert told.said("referral.submitted")[1:] == []
    head = told.browser("head")
    assert "1 待批" in head.get("/inbox").text
    shown = head.get(page).text
    assert "赵某" in shown
    assert "公安部" in shown
    assert act(head, page, "approve").headers["location"] == f"{page}?done=approved"
    assert [one["suspects"][0]["name"] for one in told.said("referral.submitted")[1:]] == ["赵某"]


def test_what_is_approved_is_byte_for_byte_what_is_sent(told: DeskScene) -> None:
    """The value that is signed is that of the bytes whose digest the approver's page showed."""
    page = handed_in(told)
    draft = told.desk.drafts.listed("handed_in")[0]
    text = told.desk.drafts.event(draft)
    head = told.browser("head")
    form = PageForm(head.get(page).text, page)
    assert form.fields["digest"] == sha256(text).hexdigest() == draft.digest
    assert form.fields["digest"] in head.get(page).text
    act(head, page, "approve")
    (sent,) = own_events(told.outbox, draft.event_id)
    event = parse_event(json.loads(text), told.catalog)
    assert sent.value == encode(told.catalog.latest("referral.submitted"), event.data)
    assert canonical(json.loads(text)) == text
    assert told.desk.drafts.find(draft.id).sent_digest == sent.digest.hex()  # type: ignore[union-attr]


def test_nobody_approves_what_he_has_written(told: DeskScene) -> None:
    """A head writes and hands in; the same head is refused, another one is not."""
    writer = told.browser("head")
    page = handed_in(told, writer)
    assert "approve" not in PageForm(writer.get(page).text, page).buttons
    assert act(writer, page, "approve").status_code == 422
    assert act(writer, page, "return", words="nein").status_code == 422
    assert told.said("referral.submitted")[1:] == []
    assert act(head2(told), page, "approve").status_code == 303


def test_a_head_who_took_over_is_a_writer_and_so_is_who_wrote_before(told: DeskScene) -> None:
    """Taking a draft over and handing it on does not make a second pair of eyes out of one."""
    first, second = told.browser("head"), head2(told)
    draft = referral(first)
    assert second.get(draft).headers["location"] == f"{draft}/review"
    assert "赵某" not in second.get(f"{draft}/review").text
    act(second, f"{draft}/review", "take_over")
    act(second, f"{draft}/review", "hand_in")
    for browser in (first, second):
        assert act(browser, f"{draft}/review", "approve").status_code == 422
    assert told.said("referral.submitted")[1:] == []


def test_a_liaison_officer_approves_nothing(told: DeskScene) -> None:
    """The right to approve is the head's, whoever wrote it."""
    page = handed_in(told, told.browser("head"))
    liaison = told.browser()
    assert "approve" not in PageForm(liaison.get(page).text, page).buttons
    assert act(liaison, page, "approve").status_code == 422
    assert act(liaison, page, "return", words="please").status_code == 422
    assert told.said("referral.submitted")[1:] == []


def test_what_is_handed_in_is_frozen(told: DeskScene) -> None:
    """Its writer changes, deletes and takes over nothing; others neither; taken back it is a draft again."""
    writer = told.browser()
    page = handed_in(told, writer)
    draft = page.removesuffix("/review")
    form = {"csrf": PageForm(writer.get(page).text, page).fields["csrf"], "version": "1"}
    for do in ("save", "delete", "preview", "add:/data/suspects"):
        assert writer.post(draft, data={**form, "do": do}).status_code == 422
    assert act(told.browser("head"), page, "take_over").status_code == 422
    assert act(told.browser("head"), page, "take_back").status_code == 422
    assert act(writer, page, "take_back").headers["location"] == f"{draft}?done=taken"
    assert writer.get(draft).status_code == 200
    assert act(told.browser("head"), page, "approve").status_code == 422


def test_an_approval_of_other_bytes_does_nothing(told: DeskScene) -> None:
    """Changed and handed in again between looking and pressing: the head is told to look again."""
    writer, head = told.browser(), told.browser("head")
    page = handed_in(told, writer)
    seen = PageForm(head.get(page).text, page).fields
    act(writer, page, "take_back")
    press(writer, page.removesuffix("/review"), "save", suspects__0__name="钱某")
    act(writer, page, "hand_in")
    answer = head.post(page, data={**seen, "do": "approve"})
    assert answer.status_code == 422
    assert "审批时" in answer.text
    assert told.said("referral.submitted")[1:] == []


def test_a_draft_comes_back_with_words(told: DeskScene) -> None:
    """The head says what to change; the writer reads it, changes it, and hands it in again."""
    writer, head = told.browser(), told.browser("head")
    page = handed_in(told, writer)
    assert act(head, page, "return", words="").status_code == 422
    assert act(head, page, "return", words="罪名请写明款项").headers["location"] == f"{page}?done=returned"
    draft = page.removesuffix("/review")
    assert "罪名请写明款项" in writer.get(draft).text
    press(writer, draft, "save", charges__0__article="180(4)")
    act(writer, page, "hand_in")
    assert act(head, page, "approve").status_code == 303
    (said,) = told.said("referral.submitted")[1:]
    assert said["charges"][0]["article"] == "180(4)"


def test_no_other_page_goes_round_the_second_officer(told: DeskScene) -> None:
    """Whatever page says such an event: nothing is said without an approval."""
    event = {"type": "referral.submitted", "source": "/csrc"}
    with pytest.raises(UsageError, match="second officer"):
        told.desk.say(event)
    with pytest.raises(DoorProblem):
        told.desk.say(event, approved=True)  # then its content is looked at


def test_approving_twice_says_it_once(told: DeskScene) -> None:
    """Two heads at the same moment, or one who presses twice."""
    page = handed_in(told)
    first, second = told.browser("head"), head2(told)
    seen = PageForm(second.get(page).text, page).fields
    assert act(first, page, "approve").status_code == 303
    assert second.post(page, data={**seen, "do": "approve"}).status_code == 422
    assert len(told.said("referral.submitted")) == 2


def test_a_desk_that_ends_between_saying_and_noting_says_it_once(
    told: DeskScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next look at the draft finds its event in the outbox; nothing is said again, and it is purged."""
    page, head = handed_in(told), told.browser("head")
    draft = told.desk.drafts.listed("handed_in")[0]

    def ends(*_: object) -> None:
        raise OSError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(told.desk.drafts, "sent", ends)
        assert act(head, page, "approve").status_code == 500
    assert "已签发" in head.get(page).text
    assert told.desk.drafts.find(draft.id).state == "sent"  # type: ignore[union-attr]
    assert len(told.said("referral.submitted")) == 2


def test_an_agency_may_ask_for_more(told: DeskScene) -> None:
    """approvals.yaml names further types; one that the agency cannot say is refused."""
    (told.folder / "approvals.yaml").write_text("approve: [clue.submitted]\n")
    desk = Desk(told.door, told.settings(), told.catalog, simulated_clock=True, hasher=QUICK)
    assert desk.approvals.of("clue.submitted", desk.now()) is not None
    assert desk.approvals.of("consultation.requested", desk.now()) is None
    (told.folder / "approvals.yaml").write_text("approve: [referral.filed]\n")
    with pytest.raises(UsageError, match="approve"):
        Desk(told.door, told.settings(), told.catalog, hasher=QUICK)


# --- drafts at rest -----------------------------------------------------------------------------------------


def with_person(browser: Browser) -> str:
    """A clue with sealed personal data."""
    draft = clue(browser)
    press(browser, draft, "add:/data/sealed/persons")
    press(browser, draft, "add:/data/sealed/persons/0/documents")
    press(
        browser,
        draft,
        "save",
        **{
            "sealed__persons__0__ref": "S1",
            "sealed__persons__0__name": SECRET,
            "sealed__persons__0__documents__0__kind": "resident_id",
            "sealed__persons__0__documents__0__number": NUMBER,
        },
    )
    return draft


def on_disk(folder: Path) -> bytes:
    """Every byte of the desk's database and what lies beside it."""
    return b"".join(file.read_bytes() for file in sorted(folder.glob("desk.db*")))


def test_a_draft_at_rest_shows_nobody(told: DeskScene) -> None:
    """Neither database nor lists hold what was typed; key and database are for their owner alone."""
    browser = told.browser()
    draft = with_person(browser)
    assert SECRET in browser.get(draft).text
    bytes_there = on_disk(told.folder)
    for secret in (SECRET, NUMBER, "尾市拉抬"):
        assert secret.encode() not in bytes_there
        assert json.dumps(secret)[1:-1].encode() not in bytes_there
        for path in ("/compose", "/inbox", "/account"):
            assert secret not in browser.get(path).text
    keys = told.folder / "draft-keys"
    assert keys.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in keys.iterdir()] == [0o600]
    assert (told.folder / "desk.db").stat().st_mode & 0o077 == 0


def test_the_approver_says_what_personal_data_are_needed_for(told: DeskScene) -> None:
    """Another officer sees them once a reason is given, which is logged."""
    (told.folder / "approvals.yaml").write_text("approve: [clue.submitted]\n")
    told.desk.approvals = Desk(told.door, told.settings(), told.catalog, hasher=QUICK).approvals
    writer, head = told.browser(), told.browser("head")
    page = f"{with_person(writer)}/review"
    act(writer, page, "hand_in")
    assert SECRET not in head.get(page).text
    assert NUMBER not in head.get(page).text
    assert act(head, page, "unmask", reason="").status_code == 422
    assert act(head, page, "unmask", reason="审批前核对身份").status_code == 303
    assert SECRET in head.get(page).text
    noted = [(one["officer"], one["act"], one["reason"]) for one in told.desk.accesses.before(1_000, 100)]
    assert ("head", "unmasked", "审批前核对身份") in noted


def test_what_was_sent_is_purged(told: DeskScene) -> None:
    """Content and key are gone, older copies of the database open no more; who did what stays."""
    writer, head = told.browser(), told.browser("head")
    page = handed_in(told, writer)
    act(head, page, "return", words="只改一字")
    act(writer, page, "hand_in")
    before = on_disk(told.folder)
    act(head, page, "approve")
    assert list((told.folder / "draft-keys").iterdir()) == []
    with sqlite3.connect(told.folder / "desk.db") as connection:
        assert connection.execute("SELECT content, event FROM draft").fetchall() == [(None, None)]
    assert before != on_disk(told.folder)
    shown = head.get(page).text
    for words in ("Officer liaison", "提交审批", "退回", "审批并签发", "查看事件"):
        assert words in shown
    assert "只改一字" not in shown
    with pytest.raises(UsageError):
        told.desk.drafts.content(told.desk.drafts.listed("sent")[0])


def test_a_deleted_draft_is_gone_with_its_key(told: DeskScene) -> None:
    """By its owner alone; no trace but in the log."""
    browser = told.browser()
    draft = with_person(browser)
    other = told.browser("head")
    assert (
        other.post(
            draft,
            data={**PageForm(other.get(f"{draft}/review").text, f"{draft}/review").fields, "do": "delete"},
        ).status_code
        == 422
    )
    assert press(browser, draft, "delete").headers["location"] == "/compose?done=deleted"
    assert browser.get(draft).status_code == 404
    assert list((told.folder / "draft-keys").iterdir()) == []
    assert told.desk.accesses.before(1_000, 1)[0]["act"] != "made"


def test_two_pages_of_one_draft_lose_nothing(told: DeskScene) -> None:
    """The older page is told; what was typed there stands in its form, and is kept if saved again."""
    browser = told.browser()
    draft = clue(browser)
    older = PageForm(browser.get(draft).text, draft)
    press(browser, draft, "save", conduct="第二版")
    answer = browser.post(draft, data={**older.fields, "/data/conduct": "第一版", "do": "save"})
    assert answer.status_code == 409
    again = PageForm(answer.text, draft).fields
    assert again["/data/conduct"] == "第一版"
    assert PageForm(browser.get(draft).text, draft).fields["/data/conduct"] == "第二版"
    assert browser.post(draft, data={**again, "do": "save"}).status_code == 303
    assert PageForm(browser.get(draft).text, draft).fields["/data/conduct"] == "第一版"


def test_an_auditor_and_an_operator_open_no_draft(told: DeskScene) -> None:
    """Drafts are for those who act."""
    draft = begin(told.browser(), "clue.submitted")
    for role in ("auditor", "operator"):
        for path in ("/compose", draft, f"{draft}/review"):
            assert told.browser(role).get(path).status_code == 403
