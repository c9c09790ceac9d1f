"""Pictures of pages, kept in a folder of the run."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

VARIABLE = "CASEBUS_PICTURES"
"""Names another folder."""


def folder() -> Path:
    """Where pictures of this run are kept: .cache/browser."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(__file__).resolve().parents[3] / ".cache" / "browser"


def clear() -> None:
    """Removes those of an earlier run."""
    folder().mkdir(parents=True, exist_ok=True)
    for old in folder().glob("*.png"):
        old.unlink()


def keep(page: "Page", name: str) -> None:
    """Keeps one of a whole page, at most 8,000 px high."""
    page.screenshot(path=folder() / f"{name}.png", full_page=True)
