"""Who takes part: the agencies with their roles, the guests and the bus itself."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Literal, Self

from .errors import UsageError
from .strict_yaml import entries, known_keys, read_yaml, text, texts
from .texts.sentence import Sentence

FILE = "agencies.yaml"
BUS = "bus"
BUS_NAME = Sentence("总线", "the bus")

AGENCY_ROLE, MEMBER_ROLE = "agency", "member"
"""Roles that follow of themselves: of every full agency, and of full agencies and guests."""
WITNESS = "witness"
"""For topics that each witness has; no role, as a witness need not be a member."""

_IMPLIED = (AGENCY_ROLE, MEMBER_ROLE, BUS)
_RESERVED = frozenset({BUS, "admin", "audit", "dead-letter", "inbox", "receipt"})
_NOT_WITNESSES = _RESERVED - {"audit"}
"""First words of the bus's own topics, groups and logins, which no agency may bear."""
_ID = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")

Part = Literal["full", "guest"]


@dataclass(frozen=True, slots=True)
class Member:
    """One agency of agencies.yaml; `roles` are those that its entry names."""

    id: str
    part: Part
    roles: tuple[str, ...]
    name: Sentence


@dataclass(frozen=True, slots=True)
class Witness:
    """One who cosigns checkpoints; `login` is its principal at the broker."""

    id: str
    login: str
    name: Sentence


class Members:
    """Everybody who takes part in one installation, in the order of agencies.yaml; never changes.

    `roles` names each role; `version` is a short hash of the text it was read from.
    """

    def __init__(
        self,
        listed: tuple[Member, ...],
        roles: Mapping[str, Sentence],
        version: str,
        witnesses: tuple[Witness, ...] = (),
        personal: tuple[str, ...] = (),
    ) -> None:
        self.listed = listed
        self.roles = roles
        self.version = version
        self.witnesses = witnesses
        """Who cosigns the ledger's checkpoints, in the order of the file."""
        self.personal = personal
        """Roles whose agencies may read personal data."""
        self.all = tuple(member.id for member in listed)
        """Full agencies and guests."""
        self.agencies = tuple(member.id for member in listed if member.part == "full")
        """The full agencies."""
        self.guests = tuple(member.id for member in listed if member.part == "guest")
        """Who takes part as a guest."""
        self._speakers = frozenset((*self.all, BUS))
        self._roles = {member.id: _roles(member) for member in listed} | {BUS: (BUS,)}
        self._names = {member.id: member.name for member in listed} | {BUS: BUS_NAME}

    @classmethod
    def load(cls) -> "Members":
        """Those of this package, read once for the process."""
        return _load()

    @classmethod
    def parse(cls, source: str) -> Self:
        """Reads the text of an agencies.yaml. Raises UsageError naming the entry that is not right."""
        whole = read_yaml(FILE, source)
        known_keys(FILE, whole, required=("roles", "members"), optional=("witnesses", "personal"))
        roles = {
            _identifier(f"{FILE}: role", role, _IMPLIED): _named(f"{FILE}: role {role}", entry, ())
            for role, entry in entries(f"{FILE}: roles", whole["roles"])
        }
        found = tuple(
            _member(_identifier(f"{FILE}: member", id, _RESERVED), entry, roles)
            for id, entry in entries(f"{FILE}: members", whole["members"])
        )
        listed = entries(f"{FILE}: witnesses", whole["witnesses"]) if "witnesses" in whole else ()
        witnesses = tuple(_witness(id, entry, found) for id, entry in listed)
        personal = texts(FILE, "personal", whole["personal"]) if "personal" in whole else ()
        if strange := [role for role in personal if role not in roles]:
            raise UsageError(
                f"{FILE}: personal",
                found=", ".join(strange),
                expected="roles of the list: " + ", ".join(roles),
            )
        version = sha256(source.encode()).hexdigest()[:12]
        return cls(found, roles, version, witnesses, personal)

    def name(self, agency: str) -> Sentence | None:
        """Name of a member or of the bus; None for others."""
        return self._names.get(agency)

    def roles_of(self, agency: str) -> tuple[str, ...]:
        """The roles of a member, those that follow of themselves last; of the bus `bus`; of others none."""
        return self._roles.get(agency, ())

    def agencies_with(self, role: str) -> tuple[str, ...]:
        """Who has the role, in the order of the file. Raises UsageError for what is no role."""
        if role == BUS:
            return (BUS,)
        if role not in self.roles and role not in _IMPLIED:
            raise UsageError(
                "no such role", found=repr(role), expected="one of " + ", ".join((*self.roles, *_IMPLIED))
            )
        return tuple(agency for agency in self.all if role in self._roles[agency])

    def expanded(self, roles: Iterable[str]) -> tuple[str, ...]:
        """Who has any of the roles: in the order of the roles, each once."""
        return tuple(dict.fromkeys(agency for role in roles for agency in self.agencies_with(role)))

    def reads_personal(self, agency: str) -> bool:
        """Whether a member may read personal data, by one of its roles."""
        return any(role in self.personal for role in self.roles_of(agency))

    def having(self, each: str) -> tuple[str, ...]:
        """Who has a topic of its own of this kind: the witnesses, or those with the role."""
        if each == WITNESS:
            return tuple(witness.id for witness in self.witnesses)
        return self.agencies_with(each)

    def login_of(self, id: str) -> str:
        """The principal of a member or witness: its own name, unless its entry says another."""
        return next((witness.login for witness in self.witnesses if witness.id == id), id)

    def of_source(self, source: str) -> str:
        """Agency of a CloudEvents source such as `/csrc/shanghai-office`.

        Raises UsageError if the text is not `/agency` or `/agency/unit` of a known speaker.
        """
        parts = source.split("/")
        if len(parts) not in (2, 3) or parts[0] or parts[1] not in self._speakers or not all(parts[1:]):
            raise UsageError(
                "not a source of this bus",
                found=repr(source[:100]),
                expected="/agency or /agency/unit with agency one of " + ", ".join(sorted(self._speakers)),
            )
        return parts[1]

    def of_topic(self, topic: str) -> str:
        """Agency (or `bus`) whose prefix the topic carries; Raises UsageError for other topics."""
        prefix, dot, _ = topic.partition(".")
        if not dot or prefix not in self._speakers:
            raise UsageError(
                "not a topic of a member", found=repr(topic[:100]), expected="<agency>.<channel>"
            )
        return prefix


def _roles(member: Member) -> tuple[str, ...]:
    implied = (AGENCY_ROLE, MEMBER_ROLE) if member.part == "full" else (MEMBER_ROLE,)
    return (*member.roles, *implied)


def _member(id: str, entry: Any, roles: Mapping[str, Sentence]) -> Member:
    where = f"{FILE}: member {id}"
    name = _named(where, entry, ("part", "roles"))
    part = entry["part"]
    if part not in ("full", "guest"):
        raise UsageError(f"{where}: how it takes part", found=repr(part), expected="full or guest")
    held = texts(where, "roles", entry["roles"])
    unknown = [role for role in held if role not in roles]
    if unknown or not held:
        raise UsageError(
            f"{where}: roles",
            found=", ".join(unknown) or "none",
            expected="roles of the list above: " + ", ".join(roles),
        )
    return Member(id, part, held, name)


def _witness(id: Any, entry: Any, members: tuple[Member, ...]) -> Witness:
    where = f"{FILE}: witness {id}"
    member = next((member for member in members if member.id == id), None)
    if member is not None:
        known_keys(where, entry, required=())
        return Witness(member.id, member.id, member.name)
    id = _identifier(f"{FILE}: witness", id, _NOT_WITNESSES)
    name = _named(where, entry, ("login",))
    return Witness(id, _identifier(f"{where}: login", entry["login"], _RESERVED), name)


def _named(where: str, entry: Any, beside: tuple[str, ...]) -> Sentence:
    known_keys(where, entry, required=(*beside, "zh", "en"))
    return Sentence(text(where, "zh", entry["zh"]), text(where, "en", entry["en"]))


def _identifier(where: str, id: Any, taken: Iterable[str]) -> str:
    if not isinstance(id, str) or not _ID.match(id) or id in taken:
        raise UsageError(
            f"{where}: its name",
            found=repr(id),
            expected="small letters, digits and hyphens; none of " + ", ".join(sorted(taken)),
        )
    return id


@cache
def _load() -> Members:
    return Members.parse((files("casebus_schemas") / FILE).read_text(encoding="utf-8"))


_OURS = Members.load()
AGENCIES: tuple[str, ...] = _OURS.agencies
GUESTS: tuple[str, ...] = _OURS.guests
WITNESSES: tuple[str, ...] = _OURS.having(WITNESS)
MEMBERS: tuple[str, ...] = _OURS.all
"""The members of this package; what may meet another list takes a `Members`."""


def agency_of_source(source: str) -> str:
    """Agency of a CloudEvents source such as `/csrc/shanghai-office`; as `Members.of_source`."""
    return _OURS.of_source(source)


def agency_of_topic(topic: str) -> str:
    """Agency (or `bus`) whose prefix the topic carries, as `Members.of_topic` of this package."""
    return _OURS.of_topic(topic)


def roles_of(agency: str) -> tuple[str, ...]:
    """The roles of a member, as `Members.roles_of` of this package."""
    return _OURS.roles_of(agency)


def agencies_with(role: str) -> tuple[str, ...]:
    """Who has a role, as `Members.agencies_with` of this package."""
    return _OURS.agencies_with(role)
