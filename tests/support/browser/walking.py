"""Every page that an officer can come to by links, one address for each kind of page."""

import re
from collections import deque
from html import unescape
from urllib.parse import urljoin, urlsplit

from starlette.routing import compile_path

from casebus_consumers.desk.pages.register import PAGES
from support.scenes.desk_scene import Browser

MOST = 300
"""Pages looked into."""
_LINK = re.compile(r'<a\b[^>]*?href="([^"#]*)')
_ROUTES = [(page, compile_path(page.path)[0]) for page in PAGES if page.get is not None]


def kind_of(address: str) -> str | None:
    """The path of the registered page that answers an address."""
    path = urlsplit(address).path
    return next((page.path for page, pattern in _ROUTES if pattern.match(path)), None)


def reached(browser: Browser, start: str = "/") -> dict[str, str]:
    """An address for each registered page that answers with HTML, found by links from `start`, nearest first.

    Raises AssertionError for a link that leads to nothing.
    """
    found: dict[str, str] = {}
    seen, ahead = {start}, deque([start])
    while ahead and len(seen) < MOST:
        address = ahead.popleft()
        answer = browser.get(address)
        if answer.is_redirect:
            links = [answer.headers["location"]]
        else:
            assert answer.status_code == 200, f"{address}: {answer.status_code}"
            if not answer.headers["content-type"].startswith("text/html"):
                continue
            found.setdefault(str(kind_of(address)), address)
            links = [unescape(link) for link in _LINK.findall(answer.text)]
        for link in links:
            whole = urljoin(address, link)
            if whole not in seen and whole.startswith("/") and not whole.startswith("/language/"):
                seen.add(whole)
                ahead.append(whole)
    return found
