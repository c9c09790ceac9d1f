"""Who may do what at a desk: the roles of its officers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from casebus_schemas.errors import UsageError

Right = Literal["self", "read", "act", "approve", "unmask", "audit", "operate", "mend"]
"""self: the own session; read: notices, duties, cases, findings; act: say something in the agency's name;
approve: what another officer has drafted; unmask: personal data; audit: who looked at what, proofs; operate:
the programs' state; mend: dead letters, and having them driven again."""
Role = Literal["liaison", "head", "auditor", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)
RIGHTS: Mapping[str, frozenset[Right]] = MappingProxyType(
    {
        "liaison": frozenset({"self", "read", "act", "unmask", "mend"}),
        "head": frozenset({"self", "read", "act", "approve", "unmask", "mend"}),
        "auditor": frozenset({"self", "read", "unmask", "audit"}),
        "operator": frozenset({"self", "operate", "mend"}),
    }
)


def read_role(text: str) -> Role:
    """A role. Raises UsageError for another word."""
    for role in ROLES:
        if role == text:
            return role
    raise UsageError("no such role of an officer", found=repr(text[:40]), expected=", ".join(ROLES))


def may(role: str, right: Right) -> bool:
    """Whether officers of a role may do that."""
    return right in RIGHTS.get(role, frozenset())
