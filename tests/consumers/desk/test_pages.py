"""What an officer reads and does at a desk, and that nothing of it leaves the agency's own view."""

import json
import re
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest

from casebus_consumers.desk.pages.inbox import signature
from support.cases.chains import amount, at, suspects
from support.cases.own_cases import answer
from support.events.signed_events import chain
from support.reconciler.desk import envelope_at
from support.scenes.desk_scene import Browser, DeskScene, token_of

SOURCE = "exchange_alert"
SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def text_of(page: str) -> str:
    """What a page shows, without its markup."""
    return unescape(re.sub(r"<[^>]*>", " ", page))


@pytest.fixture
def told(scene: DeskScene) -> DeskScene:
    """The bus has told the regulator of its findings and terms."""
    scene.announce()
    return scene


def finding_of(scene: DeskScene, rule: str) -> str:
    """The address of a finding."""
    (found,) = [one for one in scene.desk.glance().findings if one["rule"] == rule]
    return f"/findings/{found['id']}"


def test_the_inbox_says_what_is_new_and_what_to_do(told: DeskScene) -> None:
    """Notices with their case, figures of the day, and the finding that waits for an answer."""
    page = text_of(told.browser().get("/inbox").text)
    for words in ("立案", "受理回执", "姜某君", "金额不一致", "待答核对"):
        assert words in page
    assert "4 未读" in page


def test_reading_tells_the_senders_once(told: DeskScene) -> None:
    """Marked as read is fetched: one receipt of delivery for the case, however often it is pressed."""
    browser = told.browser()
    for _ in range(2):
        answer = browser.submit("/inbox", read="all")
        assert answer.headers["location"] == "/inbox?done=read"
    (said,) = told.said("receipt.delivered")
    assert len(said["deliveries"]) == 4
    page = text_of(browser.get("/inbox?done=read").text)
    assert "未读 0" in page
    assert "已标为已阅" in page


def test_signing_for_a_notice_names_the_officer(scene: DeskScene) -> None:
    """Receipt B: which event, by whom, when; the row says so, also where it was signed elsewhere."""
    said = scene.admitter.speaker("mps").say(
        "clue.submitted", {"envelope": envelope_at("2022-10-01", to=["csrc"]), "source": SOURCE}, chain(7)
    )
    record = scene.hear(said, at("2022-10-01T09:00"))
    scene.arrive()
    browser = scene.browser()
    seq = len(scene.inbox) - 1
    assert "签收" in browser.get("/inbox?see=sign").text
    answer = browser.submit("/inbox", f"/inbox/{seq}", sign=str(seq))
    assert answer.headers["location"] == "/inbox?done=signed"
    (signed,) = scene.said("receipt.signed")
    assert signed["officer"] == "Officer liaison"
    assert signed["event"] == said.digest
    assert signed["envelope"]["to"] == ["mps"]
    assert record.value == said.record.value
    assert scene.desk.glance().unread["sign"] == 0
    assert "已签收" in text_of(browser.get(f"/inbox/{seq}").text)


def test_a_signature_answers_the_event(told: DeskScene) -> None:
    """Made of the notice alone."""
    body = told.desk.notices.bodies([0])[0]
    event = signature(body, "csrc", "Wang", at("2022-10-02T09:30"), "ab" * 32)
    assert event["data"]["envelope"]["in_reply_to"] == body["event"]["id"]
    assert event["subject"] == body["event"]["subject"]
    assert event["time"] == "2022-10-02T01:30:00Z"


def test_a_case_shows_both_figures_with_their_events(told: DeskScene) -> None:
    """Each leads to its event; the difference is named with its rule; all events stand below."""
    browser = told.browser()
    page = browser.get(f"/cases/{chain(1)}").text
    shown = text_of(page)
    for words in ("46,190,000.00", "4,619.00", "R30", "已立案", "第180条第四款"):
        assert words in shown
    for target in set(re.findall(r'href="#(e[0-9a-f]{12})"', page)):
        assert f'id="{target}"' in page
    links = re.findall(rf'href="(/cases/{chain(1)}/events/[0-9a-f]{{64}})"', page)
    assert len(links) == 3
    for link in links:
        assert browser.get(link).status_code == 200


def test_a_case_stands_as_it_was_known(told: DeskScene) -> None:
    """The day before the filing was heard there was one figure and no finding; the page says so."""
    page = text_of(told.browser().get(f"/cases/{chain(1)}?known_at=2022-09-29").text)
    assert "4,619.00" not in page
    assert "已受理" in page
    assert "非现状" in page
    wrong = told.browser().get(f"/cases/{chain(1)}?known_at=yesterday")
    assert wrong.status_code == 200
    assert "不是日期" in wrong.text


def test_a_case_is_found_by_what_people_call_it(told: DeskScene) -> None:
    """By a name; a search that fits nothing says what can be searched for."""
    browser = told.browser()
    assert browser.get("/cases?q=姜某君").headers["location"] == f"/cases/{chain(1)}"
    assert "没有这样的案号" in browser.get("/cases?q=nobody").text


def test_terms_have_a_bar_and_reasons(told: DeskScene) -> None:
    """Every reading in words, and a picture whose text says the same."""
    page = told.browser().get("/due?state=over").text
    assert "<svg" in page
    assert "工作日" in text_of(page)
    duty = told.desk.glance().duties[0]
    one = told.browser().get(f"/due/{duty['id']}")
    assert one.status_code == 200
    for reading in duty["readings"]:
        assert reading["due"][:4] in text_of(one.text)


def test_terms_as_a_calendar(told: DeskScene) -> None:
    """Lines of at most 75 octets that end as RFC 5545 wants, without a name."""
    answer = told.browser().get("/due.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    lines = answer.content.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-2] == b"END:VCALENDAR"
    assert all(len(line) <= 75 for line in lines)
    assert "姜" not in answer.text


@pytest.mark.parametrize(
    ("says", "type", "field"),
    [
        ("explained", "finding.explained", "explanation"),
        ("accepted", "finding.accepted", "reasons"),
        ("assigned", "finding.assigned", "unit"),
        ("settled", "finding.settled", "reasons"),
        ("reopened", "finding.reopened", "reasons"),
    ],
)
def test_each_answer_is_an_event(told: DeskScene, says: str, type: str, field: str) -> None:
    """It names finding, officer and text, goes to the other side, and is said once it is published."""
    browser, page = told.browser(), finding_of(told, "R30")
    fields = {"says": says, f"text_{says}": "口径不同"}
    preview = browser.submit(page, page, do="preview", **fields)
    assert preview.status_code == 200
    assert "口径不同</textarea>" in preview.text
    assert "尚未发布" in preview.text
    assert told.said(type) == []
    assert browser.submit(page, page, do="publish", **fields).headers["location"] == f"{page}?done=said"
    (said,) = told.said(type)
    assert said[field] == "口径不同"
    assert said["officer"] == "Officer liaison"
    assert said["envelope"]["to"] == ["mps"]
    assert f"/findings/{said['finding']}" == page


def test_a_correction_is_said_before_the_answer_that_names_it(told: DeskScene) -> None:
    """The figure anew with its reasons, then the answer with the digest of that event."""
    browser, page = told.browser(), finding_of(told, "R30")
    answer = browser.submit(
        page, page, do="publish", says="corrected", value="4,619.00", text_corrected="单位有误"
    )
    assert answer.status_code == 303, text_of(answer.text)
    (corrected,) = told.said("referral.corrected")
    assert [str(one["value"]) for one in corrected["amounts"]] == ["4619.00"]
    (said,) = told.said("finding.corrected")
    with told.outbox.reading() as connection:
        (digest,) = connection.execute(
            "SELECT digest FROM outbox WHERE type = 'referral.corrected'"
        ).fetchone()
    assert said["correction"] == bytes(digest)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"says": "explained"}, "什么也没有说"),
        ({"says": "nonsense", "text": "x"}, "没有这样的答复"),
        ({"says": "corrected", "value": "4 million", "text_corrected": "x"}, "不是金额"),
        ({"says": "corrected", "value": "NaN", "text_corrected": "x"}, "不是金额"),
        ({"says": "corrected", "value": "46190000.00", "text_corrected": "x"}, "没有改变任何内容"),
    ],
)
def test_what_is_missing_is_said_on_the_same_page(
    told: DeskScene, fields: dict[str, str], words: str
) -> None:
    """With what was typed still there; nothing is published."""
    browser, page = told.browser(), finding_of(told, "R30")
    before = len(told.outbox.recent(100))
    answer = browser.submit(page, page, do="publish", **fields)
    assert answer.status_code == 422
    assert words in text_of(answer.text)
    assert len(told.outbox.recent(100)) == before


def test_a_delay_is_announced(told: DeskScene) -> None:
    """By the agency that owes the term: until when, and why; others may not."""
    glance = told.desk.glance()
    for duty in glance.duties:
        mine = duty["owed_by"] == "csrc"
        answer = told.browser().post(
            f"/due/{duty['id']}",
            data={
                "csrc": "",
                "csrf": token_of(told.browser().get("/account")),
                "until": "2022-12-01",
                "reasons": "more time",
            },
        )
        assert answer.status_code == 403  # the token of another session
        browser = told.browser()
        sent = browser.post(
            f"/due/{duty['id']}",
            data={"csrf": token_of(browser.get("/account")), "until": "2022-12-01", "reasons": "more time"},
        )
        assert sent.status_code == (303 if mine else 422)
    ours = [duty for duty in glance.duties if duty["owed_by"] == "csrc"]
    said = told.said("obligation.delay_announced")
    assert [str(one["obligation"]) for one in said] == [duty["id"] for duty in ours]
    assert ours
    assert said[0]["new_due"] == at("2022-12-02")


def test_ids_of_other_agencies_open_nothing(told: DeskScene) -> None:
    """A thousand ids that this agency was never told of: every page says that there is no such thing."""
    browser = told.browser()
    told.desk.glance()
    paths = ("/cases/{}", "/findings/{}", "/due/{}", "/cases/" + chain(1) + "/events/{}")
    for number in range(250):
        for path in paths:
            answer = browser.get(path.format(uuid4() if number % 2 else chain(1_000 + number)))
            assert answer.status_code == 404
    assert told.said("finding.explained") == []


def hostile(scene: DeskScene) -> None:
    """A case in which every free text tries to be markup, or to steer who reads it."""
    speaker = scene.admitter.speaker("mps")
    envelope = envelope_at("2022-10-01", to=["csrc"])
    envelope["local_refs"] = [{"issuer": "mps", "scheme": "case", "value": SCRIPT}]
    data = {
        "envelope": envelope,
        "suspects": [{"ref": "S1", "kind": "natural", "name": SCRIPT, "role": SCRIPT, "tokens": []}],
        "source": SOURCE,
        "conduct": SCRIPT,
        "security": {"market": "SSE", "code": "600518", "name": SCRIPT},
    }
    scene.hear(
        speaker.say("clue.submitted", data, chain(9)),
        at("2022-10-02T09:00"),
    )
    scene.arrive()


def test_foreign_text_is_only_text(scene: DeskScene) -> None:
    """On every page that shows it, in either language."""
    hostile(scene)
    browser = scene.browser()
    seq = len(scene.inbox) - 1
    pages = ["/inbox", f"/inbox/{seq}", "/cases", f"/cases/{chain(9)}", "/due", f"/cases?q={SCRIPT}"]
    case = browser.get(f"/cases/{chain(9)}").text
    pages += re.findall(rf"/cases/{chain(9)}/events/[0-9a-f]{{64}}", case)
    assert "&lt;script&gt;" in case
    for language in ("zh", "en"):
        browser.get(f"/language/{language}")
        for path in pages:
            page = browser.get(path).text
            assert "<script>" not in page, path
            assert "<img" not in page


def test_what_steers_is_shown_as_an_escape(scene: DeskScene) -> None:
    """A search with controls comes back without them: nothing that a page shows hides or turns text."""
    page = scene.browser().get("/cases", params={"q": "\x1b[31m\u202eabc"}).text
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "u202e" in page


def test_personal_data_want_a_reason(scene: DeskScene) -> None:
    """A name written out shows its first character until a reason is given; that is logged."""
    referral = scene.say(
        "referral.submitted",
        {
            "envelope": envelope_at("2022-10-01", to=["mps"]),
            "suspects": suspects("欧阳修远"),
            "amounts": [amount("illegal_gain", "1.00", "2009-04-01", "2013-02-28")],
        },
        chain(5),
        at("2022-10-01T10:00"),
    )
    answer(scene, referral, "2022-10-02T10:00", "referral.filed", suspects=suspects("欧阳修远"))
    scene.arrive()
    browser, page = scene.browser(), f"/cases/{chain(5)}"
    for path in ("/inbox", "/cases", page, "/due", "/findings"):
        assert "欧阳修远" not in browser.get(path).text, path
    assert "欧＊＊＊" in browser.get(page).text
    assert browser.submit(f"{page}/unmask", page, reason="x").status_code == 422
    assert browser.submit(f"{page}/unmask", page, reason="核对嫌疑人身份").status_code == 303
    assert "欧阳修远" in browser.get(page).text
    assert "欧阳修远" not in scene.browser("head").get(page).text
    noted = [tuple(one.values())[2:] for one in scene.desk.accesses.before(1_000, 100)]
    assert ("liaison", "liaison", "unmasked", chain(5), "核对嫌疑人身份") in noted
    assert ("head", "head", "opened", page, None) in noted


def test_a_forged_notice_is_named_and_never_signed_for(scene: DeskScene, tmp_path: Path) -> None:
    """Nothing that it says is shown as true, and no button stands beside it."""
    from casebus_consumers.own.store import FORGED, Entry

    seq = len(scene.inbox)
    problem = {"zh": "签名不符", "en": "not its signature"}
    body = json.dumps({"seq": seq, "forged": True, "problem": problem})
    scene.store.add("inbox.csrc", [Entry(seq, FORGED, None, None, None, None, None, None, body)], seq + 1)
    browser = scene.browser()
    page = browser.get(f"/inbox/{seq}").text
    assert "伪造" in page
    assert "签名不符" in page
    assert browser.submit("/inbox", "/account", sign=str(seq)).status_code == 404
    assert scene.said("receipt.signed") == []


def test_every_page_speaks_english_too(told: DeskScene) -> None:
    """No Chinese but names, and what officers wrote."""
    browser = told.browser()
    browser.english()
    duty = told.desk.glance().duties[0]["id"]
    for path in (
        "/inbox",
        "/due?state=over",
        "/cases",
        f"/cases/{chain(1)}",
        "/findings",
        f"/due/{duty}",
        finding_of(told, "R30"),
        "/account",
        "/inbox/0",
    ):
        page = browser.get(path)
        assert page.status_code == 200, path
        shown = text_of(page.text).replace("中文", "")
        rest = re.sub("姜某君|柳某|万元", "", shown)
        assert re.findall("[\u4e00-\u9fff]+", rest) == [], path


def test_an_auditor_finds_no_form(told: DeskScene) -> None:
    """An auditor reads every page and finds no form that says something."""
    browser: Browser = told.browser("auditor")
    for path in ("/inbox", finding_of(told, "R30"), f"/due/{told.desk.glance().duties[0]['id']}"):
        page = browser.get(path).text
        assert 'value="publish"' not in page
        assert 'name="sign"' not in page
        assert 'name="reasons"' not in page
