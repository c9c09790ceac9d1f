"""What the controls of a case ask: facts until a time, what was known at a time, the law of a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from casebus_schemas.case.as_of import LEVELS, AsOf, Level
from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_day, read_end

if TYPE_CHECKING:
    from casebus_consumers.desk.asked import Asked

CONTROLS = ("as_of", "known_at", "law_of", "level")
"""Their names in the query, behind a prefix where a page has several sets of them."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an agency's own view; `wrong` says what is no time."""

    as_of: AsOf
    limited: bool
    wrong: str | None
    values: Mapping[str, str]


def question_of(asked: "Asked", prefix: str = "") -> Question:
    """The question of one set of controls."""
    said: dict[str, Any] = {}
    wrong = None
    for name, member, read in (
        ("as_of", "until", read_end),
        ("known_at", "known_at", read_end),
        ("law_of", "law_of", read_day),
    ):
        text = asked.query(prefix + name)
        if text is None:
            continue
        try:
            said[member] = read(text)
        except (UsageError, ValueError, OverflowError):
            wrong = asked.words("case.no_time", text=text)
    level = asked.query(prefix + "level", LEVELS) or "available"
    limited = bool(said) or level != "available"
    question = AsOf(known_by=asked.desk.agency, level=cast(Level, level), **said)
    values = {name: asked.query(prefix + name) or "" for name in CONTROLS}
    return Question(question, limited, wrong, values)
