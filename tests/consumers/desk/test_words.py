"""Every page speaks one language at a time, and has each text in both."""

import re
from pathlib import Path

import pytest

from casebus_consumers.desk.words import Words, all_texts, language_of, read_texts
from casebus_schemas.errors import UsageError
from support.scenes.desk_scene import DeskScene

DESK = Path(__file__).resolve().parents[3] / "consumers/casebus_consumers/desk"
_KEY = re.compile(r"""\b(?:t|w|words)\(\s*["']([a-z_]+\.[a-z_-]+)["']\s*[,)]""")
_REFUSED = re.compile(r"""Refused\(\s*["']([a-z_]+\.[a-z_-]+)["']""")
_HAN = re.compile("[\u4e00-\u9fff]")
SOURCES = sorted([*DESK.rglob("*.py"), *DESK.rglob("*.html")])


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(DESK)))
def test_every_text_that_is_asked_for_is_there(file: Path) -> None:
    """A page never stops for the lack of a word."""
    source = file.read_text(encoding="utf-8")
    asked = {*_KEY.findall(source), *_REFUSED.findall(source)}
    assert asked - set(all_texts()) == set()


def test_both_languages_fill_the_same_gaps() -> None:
    """What one says the other does, too."""
    gaps = re.compile(r"\{(\w+)")
    for key, said in all_texts().items():
        assert set(gaps.findall(said.zh)) == set(gaps.findall(said.en)), key
        assert not _HAN.search(said.en) or key == "frame.other_language", key


def test_a_text_without_a_language_is_refused() -> None:
    """Whoever adds one adds both."""
    with pytest.raises(UsageError, match="expected"):
        read_texts("page", "title: [标题]")


@pytest.mark.parametrize("template", sorted((DESK / "templates").glob("*.html")), ids=lambda file: file.name)
def test_templates_hold_no_words_of_their_own(template: Path) -> None:
    """Every word of a page is a text, so that no page mixes languages; no script or style stands within."""
    source = template.read_text(encoding="utf-8")
    assert not _HAN.search(source)
    assert "style=" not in source
    assert "<style" not in source
    assert not re.search(r"\son\w+=", source)
    assert "|safe" not in source
    bare = re.sub(r"\{[{%#].*?[#%}]\}|<[^>]*>", " ", source, flags=re.DOTALL)
    assert re.findall(r"[A-Za-z]{3,}", bare.replace("casebus", "")) == []


def test_a_reader_has_one_language_at_a_time(scene: DeskScene) -> None:
    """The browser's at first, then the one that was chosen, on every page."""
    browser = scene.browser()
    assert 'lang="zh-CN"' in browser.get("/inbox").text[:100]
    browser.english()
    page = browser.get("/inbox").text
    assert 'lang="en"' in page[:100]
    assert "Inbox" in page
    assert "通知" not in page


@pytest.mark.parametrize(
    ("cookie", "accepts", "language"),
    [
        (None, "", "zh"),
        (None, "en-GB,en;q=0.9", "en"),
        ("zh", "en", "zh"),
        ("en", "zh", "en"),
        ("fr", "de", "zh"),
    ],
)
def test_which_language_it_is(cookie: str | None, accepts: str, language: str) -> None:
    """The chosen one before the browser's; Chinese where neither says."""
    assert language_of(cookie, accepts) == language


def test_chinese_has_the_marks_of_chinese_print() -> None:
    """Marks beside Chinese characters are full-width; figures and times keep theirs."""
    said = {"zh": "嫌疑主体不一致:公安部未列柳某,金额46,190,000.00元(12:30)", "en": ""}
    assert Words("zh").say(said) == "嫌疑主体不一致：公安部未列柳某，金额46,190,000.00元（12:30）"
