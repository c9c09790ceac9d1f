"""One request of a browser as a page sees it, and what a page may answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from casebus_schemas.errors import UsageError

from .desk import Desk, Glance
from .office import Office
from .officers import Officer
from .rendering import render
from .rights import Right, may
from .sessions import Session
from .words import Words, all_texts

if TYPE_CHECKING:
    from .navigation import Entry

HOME = "/"


class Gone(Exception):
    """There is no such thing here: no such page, or a thing of which this agency was not told."""


class Refused(Exception):
    """Not to be done; `key` of the texts says why, `status` is that of HTTP."""

    def __init__(self, key: str, status: int = 403, **values: Any) -> None:
        super().__init__(key)
        self.key, self.status, self.values = key, status, values


@dataclass
class Asked:
    """A request with all that belongs to it. `session` is None only at pages that need no officer."""

    request: Request
    office: Office
    words: Words
    session: Session | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """The agency's desk. Raises Gone at the bus's own, which knows of no case."""
        if not isinstance(self.office, Desk):
            raise Gone
        return self.office

    @property
    def officer(self) -> Officer:
        """Who asks."""
        assert self.session is not None
        return self.session.officer

    def may(self, right: Right) -> bool:
        """Whether the officer may do that."""
        return self.session is not None and may(self.officer.role, right)

    def open(self, chain: str | None) -> bool:
        """Whether the officer has said for what the personal data of a case are needed, a short while ago."""
        return (
            self.session is not None
            and chain is not None
            and self.office.unmasking.is_open(self.session, chain)
        )

    @cached_property
    def glance(self) -> Glance:
        """How things stand at the desk, read once a request."""
        return self.desk.glance()

    @property
    def done_words(self) -> tuple[str, ...]:
        """What a page may say was done just now (`?done=`, with a text `frame.done_…`)."""
        return tuple(key.removeprefix("frame.done_") for key in all_texts() if key.startswith("frame.done_"))

    @property
    def audit_pages(self) -> Mapping[str, str]:
        """The pages of the audit: addresses by name."""
        from .navigation import AUDIT_PAGES

        return AUDIT_PAGES

    @cached_property
    def entries(self) -> list["Entry"]:
        """The pages that the head leads to."""
        from .navigation import entries

        return entries(self)

    # --- what is asked -----------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """Path and query of this page."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def part(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str, among: tuple[str, ...] | None = None) -> str | None:
        """A parameter of the query, at most 200 characters; None where it is missing or not `among` these."""
        found = self.request.query_params.get(name, "").strip()[:200]
        return found if found and (among is None or found in among) else None

    def number(self, name: str) -> int | None:
        """A whole number of the query, None where there is none."""
        found = self.query(name)
        return int(found) if found and found.isascii() and found.isdigit() and len(found) < 16 else None

    def field(self, name: str) -> str:
        """A field of the form, without space around it; empty where it was not sent."""
        return self.form.get(name, "").replace("\r\n", "\n").strip()

    def needed(self, name: str) -> str:
        """A field that must be filled. Raises UsageError where it is empty."""
        if not (found := self.field(name)):
            raise UsageError("a field that must be filled is empty", found=repr(name))
        return found

    # --- answers -----------------------------------------------------------------------------------------

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page of the desk."""
        return HTMLResponse(render(template, self.words, {"asked": self, **values}), status)

    def to(self, path: str, **query: str) -> Response:
        """Sends the browser on to a page of this desk (303)."""
        return RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), 303)

    def here(self, **changes: str | None) -> str:
        """The address of this page with some parameters of the query changed; None takes one away."""
        found = {name: value for name, value in self.request.query_params.items() if name not in changes}
        found |= {name: value for name, value in changes.items() if value is not None}
        path = quote(self.request.url.path)
        return path + (f"?{urlencode(found)}" if found else "")


Handler = Callable[[Asked], Response]


@dataclass(frozen=True, slots=True)
class Page:
    """An address of the desk: who may open it, and what answers. Handlers run in a thread of their own.

    `right` None: it needs no officer. A `post` needs the right `post_right`, or that of the page.
    """

    path: str
    right: Right | None
    get: Handler | None = None
    post: Handler | None = None
    post_right: Right | None = None


def safe_path(text: str | None) -> str:
    """A path of this desk, from a text that anybody may have written; the first page for all else."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")):
        return HOME
    return text if text.isprintable() and "\\" not in text and len(text) < 1_000 else HOME
