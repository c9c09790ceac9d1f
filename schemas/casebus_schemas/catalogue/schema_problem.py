"""What is wrong with a schema: the rule, the place, what was found, what was expected, what to do."""

from dataclasses import dataclass
from typing import Any, Literal

Rule = Literal[
    # Avro's own resolution, in the words of its Java implementation
    "name-mismatch",
    "type-mismatch",
    "fixed-size-mismatch",
    "missing-enum-symbols",
    "missing-union-branch",
    "reader-field-missing-default-value",
    # what Avro lets pass, and the bus does not
    "frozen-logical-type",
    "frozen-kind",
    "frozen-name",
    "text-and-bytes",
    "rename-without-alias",
    "alias-re-used",
    # one schema by itself
    "malformed",
    "undocumented",
    "nullable-default",
    "enum-default",
    "default-mismatch",
    "pii",
    "unsupported",
    "too-large",
    "event-form",
    "limit",
    # the lock
    "lock",
]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a schema: `pointer` (RFC 6901) into its JSON, `path` in field names (`amounts[].value`)."""

    pointer: str = ""
    path: str = ""

    def child(self, *steps: str | int) -> "Place":
        """A place further down that has no field name of its own."""
        return Place(self.pointer + "".join(f"/{_escaped(step)}" for step in steps), self.path)

    def field(self, index: int, name: str) -> "Place":
        """The field of that index and name in the record here."""
        path = f"{self.path}.{name}" if self.path else name
        return Place(f"{self.pointer}/fields/{index}", path)

    def item(self, key: str) -> "Place":
        """What an array or map here holds; `key` is `items` or `values`."""
        return Place(f"{self.pointer}/{key}", f"{self.path}[]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One violation. `against` says with which past version, and in which direction, it shows."""

    rule: Rule
    place: Place
    message: str
    found: Any = None
    expected: Any = None
    remedy: str | None = None
    against: str | None = None

    @property
    def text(self) -> str:
        """All of it in one line."""
        where = self.place.pointer or "/"
        if self.place.path:
            where += f" ({self.place.path})"
        parts = [f"{where}: {self.message}"]
        if self.found is not None:
            parts.append(f"found {self.found}")
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        if self.against is not None:
            parts.append(self.against)
        if self.remedy is not None:
            parts.append(self.remedy)
        return f"[{self.rule}] " + "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """As JSON, every member present."""
        return {
            "rule": self.rule,
            "pointer": self.place.pointer,
            "path": self.place.path,
            "message": self.message,
            "found": None if self.found is None else str(self.found),
            "expected": None if self.expected is None else str(self.expected),
            "against": self.against,
            "remedy": self.remedy,
        }


def _escaped(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")
