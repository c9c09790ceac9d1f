"""Four eyes: which events need a second officer at a desk, and the bytes that are approved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from casebus_schemas.agencies import Members
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.law.approvals import NeededApproval, approval_of
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.strict_yaml import known_keys, read_yaml, texts
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.json_text import canonical

from .kinds import composable

FILE = "approvals.yaml"
_OWN_RULE = Sentence("本机关负责人（本机关规定）", "a head of this agency, by its own rule")


@dataclass(frozen=True, slots=True)
class Approvals:
    """What needs a second officer at a desk: by the law, and by the agency's own rule."""

    agency: str
    roles: Sequence[str]
    own: frozenset[str] = frozenset()
    """Types of the agency's own rule."""

    @classmethod
    def read(cls, agency: str, folder: Path, catalog: Catalog) -> "Approvals":
        """With the types under `approve` in approvals.yaml, if there is such a file. Raises UsageError."""
        roles = Members.load().roles_of(agency)
        try:
            source = (folder / FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls(agency, roles)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {folder / FILE}", found=str(error)) from error
        body: Any = read_yaml(FILE, source) or {}
        known_keys(FILE, body, required=(), optional=("approve",))
        named = texts(FILE, "approve", body.get("approve") or [])
        may = composable(catalog, agency)
        for type in named:
            if type not in may:
                expected = f"a type that {agency} composes at its desk"
                raise UsageError(f"{FILE}: approve", found=type, expected=expected)
        return cls(agency, roles, frozenset(named))

    def of(self, type: str, now: datetime) -> NeededApproval | None:
        """Who must approve an event of a type that is said now; None where its writer may send it alone."""
        found = approval_of(type, self.roles, beijing_day(now))
        if found is None and type in self.own:
            return NeededApproval(self.agency, (type,), (), _OWN_RULE, True)
        return found


def sealed_text(event: dict[str, Any]) -> tuple[bytes, str]:
    """The bytes of an event that are approved, and their SHA-256: its canonical JSON."""
    text = canonical(event)
    return text, sha256(text).hexdigest()
