"""Templates filled with what pages show: foreign text can neither steer, hide nor become markup."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from casebus_schemas.texts.harmless import harmless

from .words import Words

STATIC: Mapping[str, str] = {
    "desk.css": "text/css",
    "desk.js": "text/javascript",
    "logo.svg": "image/svg+xml",
}


@cache
def static_file(name: str) -> bytes:
    """The bytes of a style, script or picture."""
    return (files(__package__) / "static" / name).read_bytes()


def static_address(name: str) -> str:
    """Its address, which changes with its bytes."""
    return f"/{name}?{sha256(static_file(name)).hexdigest()[:12]}"


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["lines"] = _lines
    found.filters["typed"] = _typed
    found.globals["static"] = static_address
    return found


def render(template: str, words: Words, values: Mapping[str, Any]) -> str:
    """The text of a page."""
    return _environment().get_template(template).render(**values, w=words, t=words)


def _shown(value: Any) -> Any:
    """What stands in a page: markup of our own as it is, other text with its controls as escapes."""
    return value if isinstance(value, Markup | int | float) else harmless(str(value))


def _lines(text: str) -> Markup:
    """A text of several lines."""
    return Markup("<br>").join(escape(harmless(line)) for line in text.split("\n"))


def _typed(text: str) -> Markup:
    """A text of several lines as it stands in a field that somebody may go on typing in."""
    return Markup("\n").join(escape(harmless(line)) for line in text.split("\n"))
