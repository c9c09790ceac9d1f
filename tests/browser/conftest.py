"""One Chromium for all tests, a desk of the regulator for each, and persons who use it."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from casebus_consumers.desk.app import create_app
from support.browser import pictures
from support.browser.chromium import chromium
from support.browser.person import PHONE, Person, Reader, person
from support.cases.own_cases import play
from support.scenes.desk_scene import DeskScene
from support.scenes.served import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WHERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder carry the mark."""
    for item in items:
        if item.path.is_relative_to(WHERE):
            item.add_marker(pytest.mark.browser)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says where the pictures are."""
    if found := len(list(pictures.folder().glob("*.png"))):
        terminalreporter.write_line(f"{found} pictures of pages in {pictures.folder()}")


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A running Chromium."""
    from playwright.sync_api import sync_playwright

    pictures.clear()
    found = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=found.executable,
            env={**os.environ, **found.environment},
            args=["--disable-gpu", "--font-render-hinting=none"],
            chromium_sandbox=False,  # which does not work for root in a container
        )
        yield running
        running.close()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[DeskScene]:
    """The regulator's desk: one case with two figures, of which the bus has told; a refused event."""
    scene = DeskScene(tmp_path)
    play(scene, 1)
    scene.arrive()
    scene.announce()
    scene.refuse()
    yield scene
    scene.close()


@pytest.fixture
def desk_url(told: DeskScene) -> Iterator[str]:
    """Where it answers."""
    with serving(create_app(told.desk)) as served:
        yield served.url


@pytest.fixture(params=[Reader("zh"), Reader("en", dark=True, width=PHONE)], ids=str)
def reader(request: pytest.FixtureRequest) -> Reader:
    """Somebody who reads Chinese at a desk, somebody who reads English in the dark on a phone."""
    found: Reader = request.param
    return found


Somebody = Callable[..., Person]


@pytest.fixture
def somebody(browser: "Browser", desk_url: str, reader: Reader) -> Iterator[Somebody]:
    """Persons at the desk, signed in unless there is no name; what they met unseen fails the test."""
    with ExitStack() as present:

        def comes(name: str | None = "liaison", **more: Any) -> Person:
            found = present.enter_context(person(browser, desk_url, reader, **more))
            if name is not None:
                found.sign_in(name)
            return found

        yield comes
