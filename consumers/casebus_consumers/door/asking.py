"""What a request of the door asks: parameters of the query, bodies of JSON, each with its limits."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

import orjson
from starlette.requests import Request

from casebus_schemas.case.as_of import LEVELS, AsOf, Level
from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_day, read_end

from .problems import Problem, wrong_parameter

MOST_BYTES = 8 * 1024 * 1024
MOST_EVENTS = 1_000
MOST_AT_ONCE = 500
LONGEST_WAIT_S = 60
LARGEST = 2**53 - 1
OCTETS = "application/octet-stream"
EVENT, BATCH, JSON = "application/cloudevents+json", "application/cloudevents-batch+json", "application/json"
Stage = Literal["published", "admitted", "ledgered"]
RULE = "R[0-9]+"
"""How the number of a rule is written."""
STAGES: tuple[Stage, ...] = ("published", "admitted", "ledgered")


class Query:
    """The query of a request. Each parameter may stand once; one that is not known is an error."""

    def __init__(self, request: Request, known: Sequence[str]) -> None:
        self._values: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            if name not in known:
                raise wrong_parameter(name, value, "one of " + ", ".join(known) if known else "no parameter")
            if name in self._values:
                raise wrong_parameter(name, value, "it once")
            self._values[name] = value

    def uuid(self, name: str) -> str | None:
        """A UUID in lower case."""
        text = self._values.get(name)
        if text is None:
            return None
        if (found := _uuid(text)) is None:
            raise wrong_parameter(name, text, "a UUID")
        return str(found)

    def rule(self, name: str) -> str | None:
        """The number of a rule."""
        text = self._values.get(name)
        if text is not None and re.fullmatch(RULE, text) is None:
            raise wrong_parameter(name, text, "the number of a rule, such as R30")
        return text

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        text = self._values.get(name)
        if text is None:
            return default
        digits = text.removeprefix("-")
        found = int(text) if digits.isascii() and digits.isdigit() and len(digits) < 17 else None
        if found is None or not least <= found <= most:
            raise wrong_parameter(name, text, f"a whole number from {least} to {most}")
        return found

    def text(self, name: str, longest: int) -> str | None:
        """Some text that a person wrote."""
        text = self._values.get(name)
        if text is not None and not (0 < len(text.strip()) <= longest and text.isprintable()):
            raise wrong_parameter(name, text, f"1 to {longest} characters of text")
        return text

    def flag(self, name: str) -> bool:
        """`true` or `false`, which is also what stands where it is not given."""
        return self.choice(name, ("true", "false")) == "true"

    def choice(self, name: str, among: Sequence[str]) -> str | None:
        """One of some words."""
        text = self._values.get(name)
        if text is not None and text not in among:
            raise wrong_parameter(name, text, "one of " + ", ".join(among))
        return text

    def choices(self, name: str, among: Sequence[str]) -> list[str]:
        """Some of some words, with commas between them."""
        text = self._values.get(name)
        found = [] if text is None else text.split(",")
        for one in found:
            if one not in among:
                raise wrong_parameter(name, text, "of " + ", ".join(among))
        return found

    def moment(self, name: str) -> datetime | None:
        """A day (its end) or a time."""
        text = self._values.get(name)
        if text is None:
            return None
        try:
            return read_end(text)
        except (UsageError, ValueError, OverflowError) as error:
            raise wrong_parameter(name, text, "a day or a time with its offset") from error

    def as_of(self, agency: str) -> AsOf:
        """The question that `as_of`, `known_at`, `level` and `law_of` ask of an agency's own view."""
        law_of = self._values.get("law_of")
        try:
            day = None if law_of is None else read_day(law_of)
        except (UsageError, ValueError, OverflowError) as error:
            raise wrong_parameter("law_of", law_of, "a day") from error
        level = self.choice("level", LEVELS) or "available"
        until, known_at = self.moment("as_of"), self.moment("known_at")
        return AsOf(until, agency, known_at, cast(Level, level), day)


async def body_of(request: Request, kinds: Sequence[str]) -> tuple[str, Any]:
    """The media type of a body and its JSON. Raises Problem 415 or 400."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    kind, charset = kind.strip().lower(), parameters.strip().lower().replace('"', "")
    if kind not in kinds or charset not in ("", "charset=utf-8"):
        raise Problem(415, f"content-type, found {kind[:60]!r}, expected one of {', '.join(kinds)} in UTF-8")
    try:
        return kind, orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Problem(
            400,
            f"the body is not JSON: {error}",
            "请求内容不是 JSON",
            [{"pointer": "#", "detail": str(error)}],
        ) from error


async def events_of(request: Request) -> tuple[list[Any], bool]:
    """The events of a body, and whether they came as a batch."""
    kind, body = await body_of(request, (EVENT, BATCH, JSON))
    batched = isinstance(body, list)
    if batched != (kind == BATCH) and kind != JSON:
        expected = "an array of events" if kind == BATCH else "one event"
        raise Problem(400, f"the body of {kind}, found another value, expected {expected}")
    events = body if batched else [body]
    if trace := request.headers.get("traceparent"):
        # Of the request, for events that have none of their own.
        events = [{"traceparent": trace, **one} if isinstance(one, dict) else one for one in events]
    if len(events) > MOST_EVENTS:
        raise too_many(len(events), MOST_EVENTS)
    return events, batched


def too_many(found: int, most: int) -> Problem:
    """A batch that is longer than it may be."""
    detail = f"a batch of {found} events, expected at most {most}"
    return Problem(422, detail, errors=[{"pointer": "#", "detail": detail}])


def uuid_of(text: str, name: str) -> UUID:
    """A UUID in a path. Raises Problem 404: there can be none of that name."""
    if (found := _uuid(text)) is None:
        raise Problem(404, f"{name}, found {text[:60]!r}, expected a UUID")
    return found


def _uuid(text: str) -> UUID | None:
    """The UUID that a text spells with its four hyphens, None if it spells none."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None
