"""A person at a desk in a real Chromium: finds things by what the page calls them, and notices faults."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from casebus_consumers.desk.words import Language, Words
from support.browser.chromium import axe
from support.browser.pictures import keep
from support.scenes.desk_scene import PASSWORDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Response

WIDE, PHONE = 1440, 390
_PATIENCE_MS = 20_000
"""How long a page may take before a test gives up: machines are busy."""
_AXE = """
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
  .then((found) => JSON.stringify(found.violations.map((one) =>
    ({id: one.id, impact: one.impact, at: one.nodes.slice(0, 4).map((node) => node.target.join(" ") + "  "
      + node.failureSummary.split("\\n").slice(1, 2).join(" "))}))))
"""
_REACH = """() => {
  const most = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= most) return [];
  const wide = [...document.querySelectorAll("main *, header *, footer *")]
    .filter((one) => one.getBoundingClientRect().right > most + 1 || one.scrollWidth > most + 1).slice(-4);
  return [document.body, ...wide].map((one) => one.tagName + "." + one.className + " "
    + one.textContent.trim().slice(0, 40));
}"""


@dataclass(frozen=True, slots=True)
class Reader:
    """How somebody reads: language, colours, width of the window in CSS pixels."""

    language: Language
    dark: bool = False
    width: int = WIDE

    def __str__(self) -> str:
        return f"{self.language}-{'dark' if self.dark else 'light'}-{self.width}"


class Person:
    """One of them, with a browser window of their own. `troubles` holds what went wrong unseen."""

    def __init__(self, context: "BrowserContext", url: str, reader: Reader) -> None:
        self.reader = reader
        self.words = Words(reader.language)
        self.url = url
        self.troubles: list[str] = []
        self.refusals: set[int] = set()
        """Statuses above 399 that a test asks for; Chromium speaks of every other one as a trouble."""
        self.page: Page = context.new_page()
        self.page.set_default_timeout(_PATIENCE_MS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("response", self._answered)
        self._looks = context.new_cdp_session(self.page)

    # --- what a person does ------------------------------------------------------------------------------

    def open(self, path: str) -> None:
        """Types an address."""
        self.page.goto(self.url + path)

    def sign_in(self, name: str, password: str | None = None) -> None:
        """Fills in the form and comes to the first page."""
        self.open("/sign-in")
        self.write("sign_in.name", name)
        self.write("sign_in.password", password or PASSWORDS[name])
        self.press("sign_in.go")
        self.page.wait_for_url(re.compile(r"/(?!sign-in)\w+"))

    def write(self, label: str, text: str) -> None:
        """Writes into the field with the label of this key."""
        self.page.get_by_label(self.words(label), exact=True).fill(text)

    def press(self, key: str, within: "Locator | None" = None) -> None:
        """Presses the button that is called so."""
        (within or self.page).get_by_role("button", name=self.words(key)).first.click()

    def choose(self, key: str) -> None:
        """Chooses the one that is called so among several."""
        self.page.locator("main label").filter(has_text=self.words(key)).click()

    def follow(self, name: str) -> None:
        """Follows the first link in the page's main part that is called so."""
        self.page.get_by_role("main").get_by_role("link", name=name).first.click()

    def go(self, key: str) -> None:
        """Goes to one of the pages that the head names."""
        self.page.get_by_role("navigation").get_by_role("link", name=self.words(key)).click()

    def reads(self, text: str) -> None:
        """Sees a text in the main part, now or soon."""
        self.page.get_by_role("main").get_by_text(text).first.wait_for()

    @property
    def shown(self) -> str:
        """All that the page's main part shows."""
        return str(self.page.get_by_role("main").inner_text())

    @property
    def path(self) -> str:
        """Where the person is, with the query."""
        return str(self.page.url).removeprefix(self.url)

    # --- what is looked at -------------------------------------------------------------------------------

    def turn_to(self, view: Reader) -> None:
        """Looks at the same page in other colours or another width."""
        assert view.language == self.reader.language
        self.reader = view
        self.page.emulate_media(color_scheme="dark" if view.dark else "light")
        self.page.set_viewport_size(_window(view))

    def picture(self, name: str) -> None:
        """Keeps a picture of the whole page."""
        keep(self.page, f"{name}.{self.reader}")

    def hurdles(self) -> list[str]:
        """What axe-core finds on the page, and what reaches out of the window."""
        found = [f"{one['id']} ({one['impact']}): {'; '.join(one['at'])}" for one in self._axe()]
        return found + self.too_wide()

    def too_wide(self) -> list[str]:
        """What reaches out of the window, so that one would have to scroll sideways."""
        return [f"wider than the window: {one}" for one in self.page.evaluate(_REACH)]

    def _axe(self) -> list[dict[str, Any]]:
        # By the debugger, so that the page's own policy for scripts stays in force.
        self._looks.send("Runtime.evaluate", {"expression": axe()})
        asked = {"expression": _AXE, "awaitPromise": True, "returnByValue": True}
        answer = self._looks.send("Runtime.evaluate", asked)
        found: list[dict[str, Any]] = json.loads(answer["result"]["value"])
        return found

    # --- within ------------------------------------------------------------------------------------------

    def _heard(self, said: "ConsoleMessage") -> None:
        expected = any(f"status of {status} " in said.text for status in self.refusals)
        if said.type in ("error", "warning") and not expected:
            self.troubles.append(f"console: {said.text} {said.location.get('url', '')}")

    def _answered(self, answer: "Response") -> None:
        if answer.status >= 500:
            self.troubles.append(f"{answer.status} {answer.url}")


@contextmanager
def person(browser: "Browser", url: str, reader: Reader, **more: Any) -> Iterator[Person]:
    """Somebody with a fresh browser. Raises AssertionError at the end for what went wrong unseen."""
    context = browser.new_context(
        locale={"zh": "zh-CN", "en": "en-GB"}[reader.language],
        color_scheme="dark" if reader.dark else "light",
        viewport=_window(reader),
        reduced_motion="reduce",
        timezone_id="Asia/Shanghai",
        **more,
    )
    try:
        somebody = Person(context, url, reader)
        yield somebody
        assert somebody.troubles == [], "\n".join(somebody.troubles)
    finally:
        context.close()


def _window(reader: Reader) -> dict[str, int]:
    return {"width": reader.width, "height": 900 if reader.width > PHONE else 844}
