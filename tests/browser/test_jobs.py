"""What an officer does at a desk all day, done with mouse and keyboard in a real browser."""

import re
from collections.abc import Callable

from casebus_consumers.desk.board import is_running
from support.browser.person import PHONE, Person
from support.cases.chains import amount, at, suspects
from support.cases.own_cases import answer
from support.events.signed_events import chain
from support.reconciler.desk import envelope_at
from support.scenes.desk_scene import DeskScene

Somebody = Callable[..., Person]


def clue(scene: DeskScene, number: int = 7) -> None:
    """The police send the regulator a clue that wants a signature."""
    data = {"envelope": envelope_at("2022-10-01", to=["csrc"]), "source": "exchange_alert"}
    said = scene.admitter.speaker("mps").say("clue.submitted", data, chain(number))
    scene.hear(said, at("2022-10-01T09:00"))
    scene.arrive()


def finding_of(scene: DeskScene, rule: str) -> str:
    """The address of a finding."""
    (found,) = [one for one in scene.desk.glance().findings if one["rule"] == rule]
    return f"/findings/{found['id']}"


def test_signing_in_and_out(somebody: Somebody) -> None:
    """A wrong password is told; the right one opens what was asked for; signing out closes it."""
    officer = somebody(None)
    officer.open("/due")
    assert officer.path.startswith("/sign-in")
    officer.refusals = {401}
    officer.write("sign_in.name", "liaison")
    officer.write("sign_in.password", "not-the-password")
    officer.press("sign_in.go")
    officer.reads(officer.words("sign_in.wrong"))
    officer.picture("sign-in-wrong")
    officer.write("sign_in.password", "password-of-liaison")
    officer.press("sign_in.go")
    officer.page.wait_for_url("**/due")
    officer.open("/account")
    officer.press("account.sign_out")
    officer.page.wait_for_url("**/sign-in")
    officer.open("/inbox")
    assert officer.path.startswith("/sign-in")


def test_reading_notices_and_signing_for_one(somebody: Somebody, told: DeskScene) -> None:
    """The newest is opened and signed for; the rest is marked as read; the senders are told of both."""
    clue(told)
    officer = somebody()
    officer.reads(officer.words.title("clue.submitted"))
    officer.follow(officer.words.title("clue.submitted"))
    officer.press("inbox.do_sign")
    officer.page.wait_for_url("**/inbox?done=signed")
    officer.reads(officer.words("frame.done_signed"))
    officer.press("inbox.all_read")
    officer.page.wait_for_url("**/inbox?done=read")
    officer.picture("inbox-read")
    (signed,) = told.said("receipt.signed")
    assert signed["officer"] == "Officer liaison"
    assert sum(len(one["deliveries"]) for one in told.said("receipt.delivered")) == 5
    assert told.desk.glance().unread["unread"] == 0


def test_answering_a_finding_without_json(somebody: Somebody, told: DeskScene) -> None:
    """Both figures are seen, the reason is written, looked at and published in the officer's name."""
    officer, page = somebody(), finding_of(told, "R30")
    officer.go("frame.findings")
    officer.page.locator(f'main a[href="{page}"]').first.click()
    for figure in ("46,190,000.00", "4,619.00"):
        officer.reads(figure)
    officer.choose("finding.choice_explained")
    officer.page.locator("#text_explained").fill("口径不同：公安部按账户计")
    officer.press("finding.do_preview")
    officer.reads(officer.words("finding.preview_note"))
    assert told.said("finding.explained") == []
    officer.picture("finding-preview")
    officer.press("finding.publish")
    officer.page.wait_for_url("**?done=said")
    officer.reads(officer.words("frame.done_said"))
    (said,) = told.said("finding.explained")
    assert (said["explanation"], said["officer"]) == ("口径不同：公安部按账户计", "Officer liaison")


def test_seeing_what_is_due_and_why(somebody: Somebody, told: DeskScene) -> None:
    """From the list to a term with every reading and its reason; the calendar file comes as a download."""
    officer = somebody()
    officer.go("frame.due")
    officer.picture("due")
    duty = next(one for one in told.desk.glance().duties if is_running(one))
    officer.page.locator(f'main a[href="/due/{duty["id"]}"]').first.click()
    officer.page.wait_for_url(f"**/due/{duty['id']}")
    rows = officer.page.locator("table.reasons tr").all_inner_texts()
    assert len(rows) == len(duty["readings"]) + 1
    assert all(row.count(officer.words("due.runs")) == 1 for row in rows[:-1])
    officer.go("frame.due")
    with officer.page.expect_download() as file:
        officer.follow(officer.words("due.calendar"))
    assert file.value.path().read_bytes().startswith(b"BEGIN:VCALENDAR")


def test_seeing_a_case_as_it_was_known(somebody: Somebody, told: DeskScene) -> None:
    """Found by a name, with both figures; the day before the filing there was one, and the page says so."""
    officer = somebody()
    officer.page.get_by_label(officer.words("frame.find"), exact=True).fill("姜某君")
    officer.page.keyboard.press("Enter")
    officer.page.wait_for_url(f"**/cases/{chain(1)}")
    officer.reads("4,619.00")
    officer.write("case.known_at", "2022-09-29")
    officer.press("case.look")
    officer.page.wait_for_url("**known_at=2022-09-29**")
    officer.page.get_by_role("status").first.wait_for()
    assert "4,619.00" not in re.sub("46,190,000", "", officer.shown)
    officer.picture("case-as-of")
    officer.follow(officer.words("case.now"))
    officer.reads("4,619.00")


def test_personal_data_after_a_reason(somebody: Somebody, told: DeskScene) -> None:
    """A name is masked until a reason is given, which stands in the log with who gave it."""
    envelope = envelope_at("2022-10-01", to=["mps"])
    gain = [amount("illegal_gain", "1.00", "2009-04-01", "2013-02-28")]
    data = {"envelope": envelope, "suspects": suspects("欧阳修远"), "amounts": gain}
    referral = told.say("referral.submitted", data, chain(5), at("2022-10-01T10:00"))
    answer(told, referral, "2022-10-02T10:00", "referral.filed", suspects=suspects("欧阳修远"))
    told.arrive()
    officer = somebody()
    officer.open(f"/cases/{chain(5)}")
    officer.reads("欧＊＊＊")
    assert "欧阳修远" not in officer.page.content()
    officer.page.get_by_text(officer.words("case.unmask"), exact=True).click()
    officer.write("case.reason", "核对嫌疑人身份")
    officer.press("case.show_them")
    officer.reads("欧阳修远")
    officer.picture("case-unmasked")
    noted = [one for one in told.desk.accesses.before(1_000, 100) if one["act"] == "unmasked"]
    assert [(one["officer"], one["reason"]) for one in noted] == [("liaison", "核对嫌疑人身份")]


def test_choosing_the_other_language(somebody: Somebody) -> None:
    """A click changes every word of the page and leaves the officer where they were."""
    officer = somebody()
    officer.open("/due?state=over")
    officer.page.get_by_role("link", name=officer.words("frame.other_language")).click()
    officer.page.wait_for_url("**/due?state=over")
    assert officer.page.locator("html").get_attribute("lang") != officer.words.tag
    assert officer.words("due.title") not in officer.page.get_by_role("heading").first.inner_text()


def test_the_inbox_by_keyboard(somebody: Somebody, told: DeskScene) -> None:
    """The first Tab leads past the head; j goes down the rows, Enter opens; / leads to the search."""
    officer = somebody()
    keys = officer.page.keyboard
    keys.press("Tab")
    assert officer.page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    keys.press("j")
    keys.press("j")
    second = officer.page.locator("[data-row] h4 a").nth(1)
    assert second.evaluate("(link) => link === document.activeElement")
    there = second.get_attribute("href")
    keys.press("Enter")
    officer.page.wait_for_url(f"**{there}")
    if officer.reader.width > PHONE:
        keys.press("/")
        assert officer.page.evaluate("document.activeElement.id") == "find"


def test_without_a_script(somebody: Somebody, told: DeskScene) -> None:
    """Whoever allows no script signs in, reads, signs for a notice and sees it done."""
    clue(told)
    officer = somebody(java_script_enabled=False)
    officer.follow(officer.words.title("clue.submitted"))
    officer.press("inbox.do_sign")
    officer.page.wait_for_url("**/inbox?done=signed")
    assert len(told.said("receipt.signed")) == 1


def test_what_comes_stands_in_the_open_inbox(somebody: Somebody, told: DeskScene) -> None:
    """Without a touch; but where somebody writes, nothing moves and a line says that something came."""
    officer = somebody()
    writing = somebody()
    writing.open(finding_of(told, "R30"))
    writing.choose("finding.choice_explained")
    writing.page.locator("#text_explained").fill("half a sentence")
    clue(told)
    officer.reads(officer.words.title("clue.submitted"))
    writing.page.locator("#news").wait_for()
    assert writing.page.locator("#text_explained").input_value() == "half a sentence"
