"""Who owes and who is owed: agencies, their units, and outsiders who take no part in the bus."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from casebus_schemas.agencies import BUS
from casebus_schemas.law.clocks import PartyName

from .chain import ChainEvent
from .chain_index import ChainIndex


@dataclass(frozen=True, slots=True)
class Party:
    """An agency, one unit of it, or an outsider (a name only: nobody on the bus answers to it)."""

    agency: str | None
    unit: str | None = None
    name: str | None = None

    @property
    def text(self) -> str:
        """As the records write it: `spp`, `spp/criminal-desk`, or the outsider's name."""
        if self.agency is None:
            return str(self.name)
        return f"{self.agency}/{self.unit}" if self.unit else self.agency

    def spoke(self, event: ChainEvent) -> bool:
        """Whether it said the event; what an outsider did is said by whoever learned of it."""
        if self.agency is None:
            return True
        return event.agency == self.agency and self.unit in (None, unit_of(event.source))


def unit_of(address: str) -> str | None:
    """The unit of a source (`/spp/criminal-desk`) or an address (`spp/criminal-desk`)."""
    return address.removeprefix("/").partition("/")[2] or None


def parties(named: PartyName, cause: ChainEvent, index: ChainIndex) -> tuple[Party, ...]:
    """Whom a clock's word means for the event that started it, each once.

    Of several agencies with a role those that have spoken or been addressed up to that event.
    """
    if named.kind == "speaker":
        return (_party(cause.agency, unit_of(cause.source) if named.units else None),)
    if named.kind == "addressees":
        addresses: Iterable[str] = cause.envelope.get("to") or ()
        told = (_party(a.partition("/")[0], unit_of(a) if named.units else None) for a in addresses)
        speaker = _party(cause.agency, unit_of(cause.source) if named.units else None)
        return tuple(dict.fromkeys(party for party in told if party != speaker))
    if named.kind == "outsider":
        name = cause.data.get(str(named.field))
        return (Party(None, name=_outside(str(name), index)),) if name else ()
    agencies = index.members.agencies_with(str(named.role))
    chosen = agencies if len(agencies) == 1 else index.seen_by(cause, agencies)
    return tuple([_party(agency, named.unit) for agency in chosen])


@lru_cache(maxsize=1024)
def _party(agency: str, unit: str | None) -> Party:
    return Party(agency, unit)


def _outside(name: str, index: ChainIndex) -> str:
    """The name of an outsider; in quotation marks where an agency is called so, which owes nothing by it."""
    home = name.strip().partition("/")[0].lower()
    return f"“{name}”" if home in (*index.members.all, BUS) else name
