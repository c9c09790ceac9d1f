"""The register: every rule by its number, loaded from the files that are named by it."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from casebus_schemas.case.chain_keys import KeyKind
from casebus_schemas.errors import UsageError
from casebus_schemas.small_types import RuleId

from . import across, chain, statistics, stream
from .rule import Rule, Scope

_ROOMS = (stream, chain, across, statistics)


def find_rule(number: str) -> Rule:
    """A rule by its number. Raises UsageError naming the known ones."""
    rule = RULES.get(RuleId(number))
    if rule is None:
        raise UsageError("no such rule", found=repr(number[:20]), expected=", ".join(RULES))
    return rule


def of_scope(scope: Scope) -> dict[RuleId, Rule]:
    """The rules of a scope, by number."""
    return {id: rule for id, rule in RULES.items() if scope in rule.scopes}


def kinds_of_keys(rules: Mapping[RuleId, Rule]) -> tuple[KeyKind, ...]:
    """The kinds of keys by which rules are given events of several chains."""
    return tuple(sorted({kind for rule in rules.values() for kind in rule.keys}))


def registered(found: Iterator[tuple[str, Rule]]) -> Mapping[RuleId, Rule]:
    """Rules with the names of their files, by number.

    Raises TypeError if a number stands twice, or in a file or folder that is not named by it.
    """
    known: dict[RuleId, Rule] = {}
    for place, rule in found:
        room, _, file = place.rpartition(".")
        if rule.id in known:
            raise TypeError(f"two rules {rule.id}")
        if file != rule.id.lower() or room.rpartition(".")[2] != rule.scopes[0]:
            raise TypeError(f"{rule.id} of scope {rule.scopes[0]} stands in {place}")
        known[rule.id] = rule
    return MappingProxyType({id: known[id] for id in sorted(known)})


def _loaded() -> Iterator[tuple[str, Rule]]:
    for room in _ROOMS:
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            yield module.name, importlib.import_module(module.name).RULE


RULES = registered(_loaded())
"""Every rule by its number, in the order of the numbers."""
CHAIN_RULES = of_scope("chain")
KEY_KINDS = kinds_of_keys(RULES)
"""The kinds of keys that are kept of every event: those that some rule asks for."""
