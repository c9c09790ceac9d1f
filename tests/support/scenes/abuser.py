"""One member's lawful login and key, used to stop the bus: the ways of an abuser, as signed records."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import AT, NAMESPACE, Speaker, envelope, referral

AGENCY = "csrc"
Way = Callable[["Abuser", float], Iterator[Outgoing]]


@dataclass
class Abuser:
    """Says what harms most, under its own name. Each way takes the share of its full measure to be said."""

    key: SigningKey
    name: str = "abuse"

    def __post_init__(self) -> None:
        self.speaker = Speaker(AGENCY, key=self.key, producer=f"{AGENCY}-{self.name}.1")
        self.unknown = SigningKey(b"\x17" * 32)

    def chain(self, number: int) -> str:
        """A matter of this abuser's own."""
        return str(uuid5(NAMESPACE, f"{self.name} {number}"))

    def refer(self, number: int, **changes: Any) -> Outgoing:
        """A referral in one of its matters."""
        return self.speaker.say("referral.submitted", referral(**changes), self.chain(number)).record

    def correct(
        self, number: int, corrects: bytes, days: int = 0, name: str = "甲"
    ) -> tuple[bytes, Outgoing]:
        """A correction of the event of that digest; its digest and record."""
        data = {
            "envelope": envelope(corrects=corrects, occurred_at=AT + timedelta(days=days)),
            "reasons": "a slip",
            "suspects": [{"ref": "S1", "kind": "natural", "name": name, "role": None, "tokens": []}],
        }
        said = self.speaker.say("referral.corrected", data, self.chain(number))
        return said.digest, said.record


def corrections_of_corrections(abuser: Abuser, share: float) -> Iterator[Outgoing]:
    """One chain in which each correction is of the one before (561), and one of rivals (300)."""
    for number, most, rivals in ((1, 561, False), (2, 300, True)):
        first = abuser.speaker.say("referral.submitted", referral(), abuser.chain(number))
        yield first.record
        digest = first.digest
        for turn in range(int(most * share)):
            named, record = abuser.correct(number, digest, days=-turn, name=f"某{turn}")
            yield record
            if not rivals:
                digest = named


def questions_in_one_chain(abuser: Abuser, share: float) -> Iterator[Outgoing]:
    """One chain with 600 consultations to two agencies, each of which owes an answer."""
    yield abuser.refer(11)
    for turn in range(int(600 * share)):
        data = {
            "envelope": envelope(to=["mps", "spp"], occurred_at=AT - timedelta(days=turn)),
            "question": f"which charge, {turn}",
        }
        yield abuser.speaker.say("consultation.requested", data, abuser.chain(11)).record


def answers_in_a_circle(abuser: Abuser, share: float) -> Iterator[Outgoing]:
    """Events that answer each other, or what nobody said, in one chain (600)."""
    ids = [uuid5(NAMESPACE, f"{abuser.name} circle {turn}") for turn in range(int(600 * share))]
    for turn, id in enumerate(ids):
        replies: UUID = ids[(turn + 1) % len(ids)] if turn % 2 else uuid5(NAMESPACE, f"nobody {turn}")
        data = {
            "envelope": envelope(to=["spp"], message_class="response", in_reply_to=replies),
            "supplied": [],
        }
        yield abuser.speaker.say("consultation.material_supplied", data, abuser.chain(21), id=id).record


def huge_lists(abuser: Abuser, share: float) -> Iterator[Outgoing]:
    """Events of 10,000 suspects (6), and of 60,000 charges (12)."""
    people: list[dict[str, Any]] = [
        {"ref": f"S{n}", "kind": "natural", "name": "某", "role": None, "tokens": []} for n in range(10_000)
    ]
    for turn in range(max(1, int(6 * share))):
        yield abuser.refer(31 + turn, suspects=people, charges=[])
    charges = [{"suspect": "S1", "article": "180(4)"}] * 60_000
    for turn in range(max(1, int(12 * share))):
        yield abuser.refer(41 + turn, charges=charges)


def long_names(abuser: Abuser, share: float) -> Iterator[Outgoing]:
    """Referrals with as many suspects as there may be, all with long names (8)."""
    people: list[dict[str, Any]] = [
        {"ref": f"S{n}", "kind": "natural", "name": f"{n}" + "某" * 60, "role": None, "tokens": []}
        for n in range(500)
    ]
    for turn in range(max(1, int(8 * share))):
        yield abuser.refer(61 + turn // 4, suspects=people, charges=[])


def digits_and_spaces(abuser: Abuser, share: float) -> Iterator[Outgoing]:
    """Referrals of 900 kB of digits and spaces, which might hide an identity number (6)."""
    for turn in range(max(1, int(6 * share))):
        yield abuser.refer(71 + turn, earlier_penalties=["1 " * 450_000])


def own_key_again_and_again(abuser: Abuser, share: float) -> Iterator[Outgoing]:
    """The own key announced again and again (60,000), then an event under a key that nobody knows."""
    again = abuser.speaker.announce().record
    for _ in range(int(60_000 * share)):
        yield again
    for turn in range(20):
        said = Speaker(AGENCY, key=abuser.unknown, producer=f"{AGENCY}-{abuser.name}-unknown.1")
        yield said.say("referral.submitted", referral(), abuser.chain(81 + turn)).record


def a_flood_of_clues(abuser: Abuser, share: float) -> Iterator[Outgoing]:
    """Clues, as fast as they can be sent (15,000)."""
    for turn in range(int(15_000 * share)):
        data = {"envelope": envelope(to=["mps"]), "source": "exchange_alert"}
        yield abuser.speaker.say("clue.submitted", data, abuser.chain(1000 + turn % 2000)).record


WAYS: tuple[Way, ...] = (
    corrections_of_corrections,
    questions_in_one_chain,
    answers_in_a_circle,
    huge_lists,
    long_names,
    digits_and_spaces,
    own_key_again_and_again,
    a_flood_of_clues,
)


def event_id(record: Outgoing) -> str:
    """The id of an event."""
    return str(EventHeaders.parse(record.headers).id)
