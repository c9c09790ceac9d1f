"""What differs between two views of one case, on a page that officers and auditors use."""

import re
from html import unescape

import pytest

from support.events.signed_events import chain
from support.scenes.desk_scene import DeskScene

PAGE = f"/cases/{chain(1)}/compare"


def text_of(page: str) -> str:
    """What a page shows, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def part(page: str, name: str) -> str:
    """The words of one section of the result."""
    found = re.search(rf'<section aria-labelledby="{name}">(.*?)</section>', page, re.DOTALL)
    return "" if found is None else text_of(found[1])


@pytest.mark.parametrize("role", ["liaison", "auditor"])
def test_what_a_day_has_changed(scene: DeskScene, role: str) -> None:
    """The filing of a day: one event more, its figure beside ours, the finding, and the new state."""
    page = scene.browser(role).get(f"{PAGE}?was_known_at=2022-09-29&known_at=2022-09-30").text
    assert "增加 立案" in part(page, "events")
    assert "移送" not in part(page, "events")
    amounts = part(page, "amounts")
    assert "改变" in amounts
    assert "4,619.00" in amounts
    assert "46,190,000.00" not in amounts
    assert "R30" in part(page, "findings")
    assert "已受理 → 已立案" in text_of(page)


def test_backwards_it_is_gone(scene: DeskScene) -> None:
    """Seen from the other side the same differences are there, with the other sign."""
    page = scene.browser().get(f"{PAGE}?was_known_at=2022-09-30&known_at=2022-09-29").text
    assert "不复存在 立案" in part(page, "events")
    assert "增加" not in part(page, "events")


def test_the_three_times_are_set_one_by_one(scene: DeskScene) -> None:
    """Facts, knowledge and law each limit their own side, and what was typed stays there."""
    browser = scene.browser()
    for name in ("as_of", "known_at", "law_of"):
        page = browser.get(f"{PAGE}?was_{name}=2022-09-29").text
        assert f'name="was_{name}" autocomplete="off" placeholder="2022-09-30" value="2022-09-29"' in page
    assert "增加 立案" in part(browser.get(f"{PAGE}?was_as_of=2022-09-29").text, "events")
    assert "不同" in text_of(browser.get(f"{PAGE}?was_law_of=2022-09-29").text)


def test_before_anything_was_known(scene: DeskScene) -> None:
    """The view in which nothing was known is empty; all events came since."""
    page = scene.browser().get(f"{PAGE}?was_known_at=2020-01-01").text
    assert "尚无所知" in text_of(page)
    assert part(page, "events").count("增加") == 3


def test_nothing_is_compared_unasked(scene: DeskScene) -> None:
    """Without a time the page offers comparisons, and each of them opens; nonsense is named."""
    browser = scene.browser()
    page = browser.get(PAGE).text
    assert "不同之处" not in page
    starts = re.findall(rf'href="({PAGE}\?[^"]+)"', page)
    assert len(starts) == 4
    for start in starts:
        assert "不同之处" in browser.get(unescape(start)).text
    assert "不是日期" in browser.get(f"{PAGE}?was_known_at=yesterday").text
    assert browser.get(f"/cases/{chain(77)}/compare").status_code == 404
