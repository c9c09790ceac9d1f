"""Search by any identifier: what is found, by whom, and what is not kept of it."""

import re
from html import unescape
from pathlib import Path

import pytest

from casebus_consumers.desk.identifiers import plain
from casebus_consumers.desk.search_index import SearchIndex, Wanted
from casebus_schemas.admission.resident_ids import is_resident_id
from support.cases.chains import amount, at, suspects
from support.events.signed_events import chain
from support.reconciler.desk import envelope_at
from support.scenes.desk_scene import DeskScene

TOKEN = bytes(range(32))


def text_of(page: str) -> str:
    """What a page shows, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.fixture
def found(scene: DeskScene) -> DeskScene:
    """One more case, with numbers, a token and a security."""
    envelope = envelope_at("2022-10-01", to=["mps"])
    envelope["local_refs"] = [{"issuer": "csrc", "scheme": "case", "value": "（2022）稽查 7号"}]
    envelope["message_no"] = "证监移〔2022〕88号"
    (suspect,) = suspects("欧阳修远")
    scene.say(
        "referral.submitted",
        {
            "envelope": envelope,
            "suspects": [{**suspect, "tokens": [TOKEN]}],
            "amounts": [amount("illegal_gain", "1.00", "2009-04-01", "2013-02-28")],
            "security": {"market": "SSE", "code": "600518", "name": "康美药业"},
        },
        chain(5),
        at("2022-10-01T10:00"),
    )
    scene.arrive()
    return scene


def chains(scene: DeskScene, query: str, role: str = "auditor") -> set[str]:
    """The cases that the page lists."""
    page = scene.browser(role).get(f"/audit?{query}")
    assert page.status_code == 200, text_of(page.text)
    return set(re.findall(r'<th scope="row"><a href="/cases/([0-9a-f-]{36})">', page.text))


@pytest.mark.parametrize(
    "text",
    [
        "（2022）稽查7号",
        "(2022)稽查 7号",
        "稽查7",
        "证监移〔2022〕88号",
        "88号",
        "600518",
        "康美",
        "欧阳修远",
        "修远",
        chain(5),
        chain(5)[:9].upper(),
        TOKEN.hex(),
        TOKEN.hex()[:20],
    ],
)
def test_each_identifier_finds_its_case(found: DeskScene, text: str) -> None:
    """However wide, in whatever case and with whatever spaces it is written."""
    assert chains(found, f"q={text}") == {chain(5)}


def test_an_event_is_found_by_its_own_id_and_digest(found: DeskScene) -> None:
    """And stands alone beside its case."""
    event = found.desk.view.events(chain(1))[1]
    for text in (str(event.id), event.digest.hex()[:24]):
        page = found.browser("auditor").get(f"/audit?q={text}").text
        assert set(re.findall(r'href="/cases/[^"]+/events/([0-9a-f]{64})"', page)) == {event.digest.hex()}


def test_a_finding_or_term_leads_to_its_case(found: DeskScene) -> None:
    """By its id."""
    found.announce()
    for one in (found.desk.glance().findings[0], found.desk.glance().duties[0]):
        assert chains(found, f"q={one['id']}") == {one["chain"]}


def test_criteria_hold_together(found: DeskScene) -> None:
    """Agency, type, time and security narrow what is found; nothing asked finds nothing."""
    both = {chain(1), chain(5)}
    assert chains(found, "type=referral.submitted") == both
    assert chains(found, "agency=mps") == {chain(1)}
    assert chains(found, "type=referral.submitted&from=2022-10-01") == {chain(5)}
    assert chains(found, "type=referral.submitted&to=2022-09-28") == {chain(1)}
    assert chains(found, "security=600518&agency=csrc") == {chain(5)}
    assert chains(found, "security=600518&agency=mps") == set()
    assert chains(found, "") == set()
    assert "不是日期" in found.browser("auditor").get("/audit?from=tomorrow").text


def test_tokens_are_for_who_may_see_persons(found: DeskScene) -> None:
    """Without that right a token finds nothing."""
    assert found.desk.index.take() == 0
    for tokens, expected in ((True, 1), (False, 0)):
        assert len(found.desk.index.find(Wanted(text=TOKEN.hex(), tokens=tokens))[0]) == expected


def test_names_are_masked_and_the_log_keeps_none(found: DeskScene) -> None:
    """What was looked for is logged without the whole name."""
    page = found.browser("auditor").get("/audit?q=欧阳修远").text
    assert "欧＊＊＊" in text_of(page)
    assert "欧阳修远" not in page.replace('value="欧阳修远"', "").replace("q=%E6", "")
    noted = [one for one in found.desk.accesses.before(1_000, 10) if one["act"] == "searched"]
    assert [one["object"] for one in noted] == ["q=欧＊＊＊"]


def test_identity_numbers_are_refused(found: DeskScene) -> None:
    """They are not looked for, not logged, and the page says what to do instead."""
    numbers = (f"11010119900307001{digit}" for digit in "0123456789X")
    (number,) = [one for one in numbers if is_resident_id(one)]
    page = found.browser("auditor").get(f"/audit?q={number}").text
    assert "请以比对令牌检索" in page
    assert not any("110" in (one["object"] or "") for one in found.desk.accesses.before(1_000, 50))


def test_the_index_keeps_up_and_is_begun_again_where_it_ended(found: DeskScene, tmp_path: Path) -> None:
    """What comes later is found; another process goes on from what was noted and finds the same."""
    assert chains(found, "q=600519") == set()
    again = SearchIndex(found.desk.store, found.desk.view, found.store, found.outbox)
    assert again.take() == 0
    envelope = envelope_at("2022-10-03", to=["csrc"])
    said = found.admitter.speaker("mps").say(
        "clue.submitted",
        {
            "envelope": envelope,
            "source": "exchange_alert",
            "security": {"market": "SSE", "code": "600519", "name": "甲"},
        },
        chain(7),
    )
    found.hear(said, at("2022-10-03T09:00"))
    found.arrive()
    assert again.take() == 0
    assert {hit.chain for hit in again.find(Wanted(text="600519"))[0]} == {chain(7)}
    assert chains(found, "q=600519") == {chain(7)}


def test_a_search_does_not_wait_for_the_index(found: DeskScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """While cases are still waiting the page says how many, and that it may not show all."""
    monkeypatch.setattr("casebus_consumers.desk.search_index._AT_ONCE", 1)
    monkeypatch.setattr("casebus_consumers.desk.pages.search._BUILDING_S", 0.0)
    page = text_of(found.browser("auditor").get("/audit?q=600518").text)
    assert "尚余 1 件案件" in page


@pytest.mark.parametrize("role", ["liaison", "head", "operator"])
def test_only_auditors_search_all_events(scene: DeskScene, role: str) -> None:
    """Other roles find cases by the head's search."""
    assert scene.browser(role).get("/audit?q=x").status_code == 403


@pytest.mark.parametrize(
    ("written", "looked_for"), [("（2022）粤01 刑初", "(2022)粤01刑初"), ("ＡＢc", "abc"), (" x\t y ", "xy")]
)
def test_how_identifiers_are_written_does_not_count(written: str, looked_for: str) -> None:
    """Width, case and spaces."""
    assert plain(written) == looked_for
