"""What may stand in an option: another value is wrong use, and the known ones are named."""

from collections.abc import Iterable

from casebus_schemas.agencies import MEMBERS
from casebus_schemas.errors import UsageError
from casebus_schemas.texts.symbols import DUTY_STATES, FINDING_STATES


def known_agency(name: str | None) -> str | None:
    """The agency. Raises UsageError naming those that take part."""
    return _optional("no such agency", name, MEMBERS)


def known_duty_states(names: Iterable[str] | None) -> tuple[str, ...]:
    """States of obligations. Raises UsageError naming the known ones."""
    return tuple(one_of("no such state", name, DUTY_STATES) for name in names or ())


def known_finding_states(names: Iterable[str] | None) -> tuple[str, ...]:
    """States of findings. Raises UsageError naming the known ones."""
    return tuple(one_of("no such state", name, FINDING_STATES) for name in names or ())


def known_rule(name: str | None) -> str | None:
    """The number of a rule, however written. Raises UsageError naming the known ones."""
    from casebus_schemas.rules.register import RULES

    return _optional("no such rule", None if name is None else name.upper(), list(map(str, RULES)))


def known_level(name: str) -> str:
    """How somebody had an event. Raises UsageError naming the known ways."""
    from casebus_schemas.case.as_of import LEVELS

    return one_of("no such level", name, LEVELS)


def _optional(problem: str, name: str | None, known: Iterable[str]) -> str | None:
    return None if name is None else one_of(problem, name, known)


def one_of(problem: str, name: str, known: Iterable[str]) -> str:
    """The name, if it is a known one. Raises UsageError naming the known ones."""
    if name in known:
        return name
    raise UsageError(problem, found=repr(name[:40]), expected="one of " + ", ".join(known))
