"""Every page of the desk as people see it: no hurdle, nothing that breaks out, nothing in the console."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from casebus_consumers.desk.app import create_app
from casebus_consumers.desk.rights import ROLES
from support.browser.person import PHONE, WIDE, Person, Reader, person
from support.browser.walking import reached
from support.scenes.desk_scene import DeskScene
from support.scenes.served import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

VIEWS = (
    (Reader("zh"), Reader("zh", dark=True, width=PHONE)),
    (Reader("en", dark=True), Reader("en", width=PHONE)),
)
"""Each page once in each language, in both colours and widths."""
NARROWEST = 320
LINKED = {
    *("/inbox", "/inbox/{seq}", "/due", "/due/{id}", "/findings", "/findings/{id}", "/account"),
    *("/cases", "/cases/{chain}", "/cases/{chain}/events/{digest}", "/dead-letters"),
}
"""Pages that must be come to by links; others are looked at, too, where the desk has what they show."""


def see(somebody: Person, path: str, views: tuple[Reader, ...]) -> list[str]:
    """What is wrong with a page in these views; a picture of each is kept."""
    somebody.open(path)
    name = re.sub(r"[0-9a-f]{8}-?[0-9a-f-]{20,}", "x", path)
    name = re.sub(r"\W+", "-", name).strip("-")
    found = []
    for view in views:
        somebody.turn_to(view)
        somebody.picture(name or "first")
        found += [f"{path} {view}: {one}" for one in somebody.hurdles()]
    somebody.page.set_viewport_size({"width": NARROWEST, "height": 700})
    return found + [f"{path} {NARROWEST}: {one}" for one in somebody.too_wide()]


def test_every_page_is_open_to_all(browser: "Browser", told: DeskScene) -> None:
    """axe-core finds nothing, and nothing needs sideways scrolling, on any page that links lead to."""
    pages: dict[str, tuple[str, str]] = {}
    for role in ROLES:
        for kind, path in reached(told.browser(role)).items():
            pages.setdefault(kind, (role, path))
    assert set(pages) >= LINKED
    found = []
    with serving(create_app(told.desk)) as served:
        for views in VIEWS:
            for role in ROLES:
                with person(browser, served.url, views[0]) as somebody:
                    somebody.sign_in(role)
                    for path in [path for whose, path in pages.values() if whose == role]:
                        found += see(somebody, path, views)
    assert found == []


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[DeskScene]:
    """A desk that has heard nothing yet."""
    scene = DeskScene(tmp_path)
    yield scene
    scene.close()


def test_pages_with_nothing_on_them(browser: "Browser", empty: DeskScene) -> None:
    """The form to sign in, a page that is not there, and every list that is still empty."""
    found = []
    with serving(create_app(empty.desk)) as served:
        for views in VIEWS:
            with person(browser, served.url, views[0]) as somebody:
                found += see(somebody, "/sign-in", views)
                somebody.turn_to(views[0])
                somebody.sign_in("liaison")
                for path in ("/inbox", "/due", "/findings", "/cases", "/dead-letters"):
                    found += see(somebody, f"{path}?empty", views)
                somebody.refusals = {404}
                found += see(somebody, "/nowhere", views)
    assert found == []


def test_what_is_wrong_is_seen(browser: "Browser", empty: DeskScene) -> None:
    """Pale text, a line that is too wide, a script that the policy forbids: each is told."""
    policy = pytest.raises(AssertionError, match="Content Security")
    with serving(create_app(empty.desk)) as served, policy:
        _break(browser, served.url)


def _break(browser: "Browser", url: str) -> None:
    with person(browser, url, Reader("zh", width=WIDE)) as somebody:
        somebody.open("/sign-in")
        somebody.page.evaluate(
            """() => {
                const script = document.createElement("script"), pale = document.createElement("p");
                script.textContent = "1";
                pale.textContent = "x".repeat(500);
                Object.assign(pale.style, {whiteSpace: "pre", color: "#eee"});
                document.querySelector("main").append(script, pale);
            }"""
        )
        found = somebody.hurdles()
        assert any(one.startswith("color-contrast (serious)") for one in found), found
        assert any(one.startswith("wider") for one in found), found
