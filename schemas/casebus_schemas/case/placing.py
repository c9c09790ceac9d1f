"""Which chain an event belongs to, where its sender does not say: the one placing of events into chains."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from casebus_schemas.wire.ids import chain_id, normalise_reference

from .chain import as_uuid


class Reference(NamedTuple):
    """A local case reference; `issuer` with the office whose number it is, where that is known."""

    issuer: str
    scheme: str
    value: str

    @property
    def normal(self) -> "Reference":
        """In the one spelling under which references are compared and kept."""
        return self._replace(value=normalise_reference(self.value))


def references_of(envelope: Mapping[str, Any], source: str) -> tuple[Reference, ...]:
    """The local case references of an envelope, in their order.

    Each office numbers for itself: what an agency calls its own number is that of the office that speaks.
    """
    found = envelope.get("local_refs")
    if not isinstance(found, list):
        return ()
    own = source.removeprefix("/")
    speaker = own.partition("/")[0]
    return tuple(
        reference._replace(issuer=own) if reference.issuer == speaker else reference
        for reference in map(reference_of, found)
    )


def reference_of(ref: Mapping[str, Any]) -> Reference:
    """One of them."""
    return Reference(ref["issuer"], ref["scheme"], ref["value"])


_Chain = TypeVar("_Chain")


def chain_of(
    references: Sequence[Reference],
    *,
    answered: _Chain | None,
    known: Callable[[Reference], _Chain | None],
    mint: Callable[[Reference], _Chain],
) -> _Chain | None:
    """The chain of an event whose sender names none: that of the event it answers, else the one to which the
    first known of its references belongs, else one minted from its first reference; None without any."""
    if answered is not None:
        return answered
    for reference in references:
        found = known(reference)
        if found is not None:
            return found
    return mint(references[0]) if references else None


class Placed(NamedTuple):
    """A chain id; `provisional` where it was minted without the agency's secret."""

    chain: str
    provisional: bool


class Placing:
    """Places events one after the other where there is no agency's file: in files, for a check or a count.

    What is minted is provisional: the agency's own chain ids need its secret. An event is known to those
    behind it by its id and by its references, of which the first to name a chain wins.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._of_id: dict[UUID, Placed] = {}
        self._of_reference: dict[Reference, Placed] = {}
        self._of_offices: dict[Reference, set[Placed]] = {}

    def answered(self, envelope: Mapping[str, Any]) -> Placed | None:
        """Where the event stands that this one answers, if it is known."""
        reply = as_uuid(envelope.get("in_reply_to"))
        return None if reply is None else self._of_id.get(reply)

    def place(self, id: UUID, subject: str | None, envelope: Mapping[str, Any], source: str) -> Placed:
        """The chain of an event, which is known from now on."""
        references = [reference.normal for reference in references_of(envelope, source)]
        placed = None if subject is None else Placed(subject, provisional=False)
        placed = placed or chain_of(
            references or [Reference("", "", str(id))],
            answered=self.answered(envelope),
            known=self._known,
            mint=lambda reference: Placed(str(chain_id(self._secret, *reference)), provisional=True),
        )
        assert placed is not None  # there is a reference to mint from
        self._of_id[id] = placed
        for reference in references:
            first = self._of_reference.setdefault(reference, placed)
            agency = reference._replace(issuer=reference.issuer.partition("/")[0])
            self._of_offices.setdefault(agency, set()).add(first)
        return placed

    def _known(self, reference: Reference) -> Placed | None:
        """Where a reference belongs; one without an office means the only office that has the number."""
        found = self._of_reference.get(reference)
        of_offices = self._of_offices.get(reference, set())
        return found or (next(iter(of_offices)) if len(of_offices) == 1 else None)
