"""What could not be delivered, admitted, computed or fetched: seen at one desk and driven again there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from .shown.event_facts import Fact
from .words import Words

MOST_AT_ONCE = 200
"""Dead letters that are driven again by one act."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One of them, for a reader: what it is, why it is here, what helps. `id` is its own among its kind."""

    kind: str
    id: str
    at: datetime | None
    title: str
    place: str
    cause: str
    remedy: str
    code: str = ""
    """The symbol or number by which programs know the cause."""
    attempts: int | None = None
    detail: str = ""
    """What the bus said of it, as it stands in the ledger, without long numbers."""
    again: bool = False
    """Whether it may be driven again from this desk."""
    ordered: str = ""
    """Who had it driven again and when, where nothing has come of it yet."""

    @property
    def key(self) -> str:
        """What tells it from all others of the desk."""
        return f"{self.kind}:{self.id}"

    @property
    def tag(self) -> str:
        """The same for addresses and forms: 24 characters."""
        return sha256(self.key.encode()).hexdigest()[:24]

    def says(self, wanted: str) -> bool:
        """Whether a search finds it."""
        plain = wanted.casefold()
        texts = (self.id, self.title, self.place, self.cause, self.code, self.detail)
        return any(plain in text.casefold() for text in texts)


@dataclass(frozen=True, slots=True)
class Looked:
    """One looked at: its facts with personal data masked, and technical ones that hold none."""

    technical: Sequence[Fact]
    content: Sequence[Fact] = ()
    note: str = ""
    """Why its content is not shown."""
    href: str | None = None
    """Where else at the desk it stands."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a dry run says of one: whether it would be driven again, and what would come of it."""

    goes: bool
    text: str


class Letters(Protocol):
    """The dead letters that a desk may see. Calls may come from several threads."""

    def kinds(self) -> Sequence[str]:
        """Which kinds there can be here, each with a text `letters.kind_…`."""

    def all(self, w: Words) -> list[Letter]:
        """All of them, newest first. Raises BusError where what keeps them is away."""

    def look(self, letter: Letter, w: Words, *, content: bool) -> Looked:
        """One of them; its content only for whom it is. Raises BusError."""

    def foresee(self, letters: Sequence[Letter], w: Words) -> Mapping[str, Foreseen]:
        """What driving these again would do, by key; changes nothing. Raises BusError."""

    def drive_again(
        self, letters: Sequence[Letter], reason: str, by: str, w: Words
    ) -> Mapping[str, Foreseen]:
        """Drives these again and says of each by key what was done. Raises BusError."""


class NoLetters:
    """Of a desk that has none."""

    def kinds(self) -> Sequence[str]:
        """None."""
        return ()

    def all(self, w: Words) -> list[Letter]:
        """None."""
        return []

    def look(self, letter: Letter, w: Words, *, content: bool) -> Looked:
        """Nothing."""
        return Looked(())

    def foresee(self, letters: Sequence[Letter], w: Words) -> Mapping[str, Foreseen]:
        """Nothing."""
        return {}

    def drive_again(
        self, letters: Sequence[Letter], reason: str, by: str, w: Words
    ) -> Mapping[str, Foreseen]:
        """Nothing."""
        return {}
