"""Which events the law lets an agency say only once somebody above the officer has approved them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from casebus_schemas.agencies import Members
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import known_keys, read_yaml, text, texts
from casebus_schemas.texts.sentence import Sentence

from .clocks import Article, clock_table

FILE = "approvals.yaml"
_BY_CLOCK = Sentence("本件即审批", "it is itself an approval")


@dataclass(frozen=True, slots=True)
class NeededApproval:
    """Who must approve an event before it is said, and where that stands; `verified`: read in the text."""

    by: str
    types: tuple[str, ...]
    law: tuple[Article, ...]
    approver: Sentence
    verified: bool

    def holds_on(self, day: date) -> bool:
        """Whether one of its texts is in force on that day."""
        instruments = clock_table().instruments
        return any(instruments[one.instrument].holds_on(day) for one in self.law)


@cache
def needed_approvals() -> tuple[NeededApproval, ...]:
    """Those of this package, read once for the process."""
    return read_approvals((files(__package__) / FILE).read_text(encoding="utf-8"))


def approval_of(type: str, roles: Collection[str], day: date) -> NeededApproval | None:
    """The approval that an event of this type, said by an agency with these roles, needs on that day.

    An event that lifts a clock's limit is an approval itself, by the law of that clock.
    """
    for one in needed_approvals():
        if type in one.types and one.by in roles and one.holds_on(day):
            return one
    for clock in clock_table().by_id.values():
        approval = clock.approval
        if approval is not None and approval.type == type and (approval.by is None or approval.by in roles):
            for version in clock.versions:
                if version.since <= day and (version.until is None or day < version.until):
                    role = approval.by or "debtor"
                    return NeededApproval(role, (type,), version.source, _BY_CLOCK, version.verified)
    return None


def read_approvals(source: str) -> tuple[NeededApproval, ...]:
    """Reads the text of an approvals.yaml. Raises UsageError naming the entry that is not right."""
    body = read_yaml(FILE, source)
    if not isinstance(body, list) or not body:
        raise UsageError(FILE, found=repr(body)[:80], expected="a list of entries")
    return tuple(_read(f"{FILE}: entry {number}", entry) for number, entry in enumerate(body, 1))


def _read(where: str, entry: object) -> NeededApproval:
    known_keys(where, entry, required=("by", "types", "law", "zh", "en", "verified"))
    assert isinstance(entry, dict)
    by, types = text(where, "by", entry["by"]), texts(where, "types", entry["types"])
    holders = Members.load().expanded((by,))
    for type in types:
        if not set(holders) & Catalog.load().event(type).speakers:
            raise UsageError(f"{where}: types", found=type, expected=f"a type that a {by} may say")
    law = tuple(_article(where, one) for one in entry["law"])
    if not law or not isinstance(entry["verified"], bool):
        raise UsageError(where, found=repr(entry)[:80], expected="law, and verified: true or false")
    approver = Sentence(text(where, "zh", entry["zh"]), text(where, "en", entry["en"]))
    return NeededApproval(by, types, law, approver, entry["verified"])


def _article(where: str, said: object) -> Article:
    known_keys(f"{where}: law", said, required=("instrument", "article"))
    assert isinstance(said, dict)
    if said["instrument"] not in clock_table().instruments:
        raise UsageError(
            f"{where}: law", found=str(said["instrument"]), expected="a text of instruments.yaml"
        )
    return Article(said["instrument"], text(where, "article", said["article"]))
