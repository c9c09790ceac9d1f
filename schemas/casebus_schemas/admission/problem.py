"""One reason why an event is not admitted, with its place in the event at the agency's door."""

from dataclasses import dataclass

from casebus_schemas.errors import REFUSAL_CODES, SECRET_CODES, RefusalCode, Refused
from casebus_schemas.wire.json_form import DoorProblem


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an event may not be said: the refusal code, the JSON pointer, found, expected and what to do."""

    code: RefusalCode
    pointer: str
    message: str
    found: object = None
    expected: object = None
    remedy: str | None = None

    @property
    def detail(self) -> str:
        """One line for a person."""
        return self.refused().detail

    def refused(self) -> Refused:
        """As the router says it."""
        return Refused(
            self.code,
            self.message,
            found=self.found,
            expected=self.expected,
            remedy=self.remedy,
            pointer=self.pointer,
        )

    def at_the_door(self) -> DoorProblem:
        """As the agency's door says it."""
        return DoorProblem(
            self.pointer, self.message, found=self.found, expected=self.expected, remedy=self.remedy
        )


def in_order(problems: list[Problem]) -> list[Problem]:
    """In the order in which the router looks: what must not be repeated before all, then the size, then the
    order of the refusal codes. It says the first."""
    return sorted(problems, key=_rank)


def _rank(problem: Problem) -> tuple[bool, bool, int]:
    code = problem.code
    return code not in SECRET_CODES, code != "too-large", REFUSAL_CODES.index(code)
