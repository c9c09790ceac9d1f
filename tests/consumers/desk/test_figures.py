"""Statistics with lineage, and who could know of a security's cases, at an auditor's desk."""

import re
from html import unescape

import pytest

from support.cases.chains import amount, at, suspects
from support.events.signed_events import chain
from support.reconciler.desk import envelope_at
from support.scenes.desk_scene import DeskScene


def text_of(page: str) -> str:
    """What a page shows, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.fixture
def counted(scene: DeskScene) -> DeskScene:
    """Two more referrals, one of them in the half-year before, about a security."""
    for number, day in ((6, "2022-05-04"), (5, "2022-10-01")):
        scene.say(
            "referral.submitted",
            {
                "envelope": envelope_at(day, to=["mps"]),
                "suspects": suspects("欧阳修远"),
                "amounts": [amount("illegal_gain", "1.00", "2009-04-01", "2013-02-28")],
                "security": {"market": "SSE", "code": "600518", "name": "康美药业"},
            },
            chain(number),
            at(f"{day}T10:00"),
        )
    scene.arrive()
    return scene


def test_each_figure_leads_to_its_events(counted: DeskScene) -> None:
    """Half-years with a chart; behind a figure stand its events, which add up to it."""
    browser = counted.browser("auditor")
    page = browser.get("/audit/statistics?measure=cases_referred").text
    rows = re.findall(r'<th scope="row" class="nowrap">([^<]+)</th><td[^>]*><b>(\d+)</b>', page)
    assert dict(rows) == {"2022H1": "1", "2022H2": "2", "2022": "3"}
    assert page.count("<rect") == 2
    lineage = browser.get("/audit/statistics?measure=cases_referred&period=2022H2").text
    shown = lineage[lineage.index('id="lineage"') :]
    assert set(re.findall(r'href="/cases/([0-9a-f-]+)/events/', shown)) == {chain(1), chain(5)}
    assert re.findall(r"<b>(\d+)</b>", shown) == ["2"]
    assert "欧阳修远" not in shown


def test_figures_follow_what_comes(counted: DeskScene) -> None:
    """A filing that comes later counts the next time that somebody looks."""
    browser, path = counted.browser("auditor"), "/audit/statistics?measure=cases_filed&period=2022H2"
    assert "1 件" in text_of(browser.get(path).text)
    filed = {"envelope": envelope_at("2022-11-01", to=["csrc"]), "suspects": suspects("甲某")}
    counted.hear(
        counted.admitter.speaker("mps").say("referral.filed", filed, chain(5)), at("2022-11-02T09:00")
    )
    counted.arrive()
    counted.desk.tally._at = float("-inf")  # as some seconds later
    assert "2 件" in text_of(browser.get(path).text)


def test_a_wrong_period_is_named(counted: DeskScene) -> None:
    """With what is expected; a measure that nothing knows is that of the first."""
    page = counted.browser("auditor").get("/audit/statistics?period=yesterday&measure=none").text
    assert "不是期间" in text_of(page) or "yesterday" in text_of(page)


def test_who_could_know(counted: DeskScene) -> None:
    """Each agency with events of a case that names the security, since when; nobody before."""
    browser = counted.browser("auditor")
    page = text_of(browser.get("/audit/insiders?security=600518").text)
    assert "公安部" in page
    assert "证监会" in page
    assert "2022-05-04" in page
    assert "没有知情单位" in browser.get("/audit/insiders?security=600518&on=2022-05-03").text
    assert "没有知情单位" in browser.get("/audit/insiders?security=000001").text
    file = browser.get("/export/insiders.csv?security=600518").content.decode("utf-8-sig")
    assert file.count("证监会") == 2


@pytest.mark.parametrize("path", ["/audit/statistics", "/audit/insiders"])
def test_they_are_the_auditors(scene: DeskScene, path: str) -> None:
    """Others do not open them; both speak English too."""
    assert scene.browser("liaison").get(path).status_code == 403
    browser = scene.browser("auditor")
    browser.english()
    shown = re.sub("姜某君|柳某|万元|中文", "", text_of(browser.get(path).text))
    assert re.findall("[\u4e00-\u9fff]+", shown) == []
