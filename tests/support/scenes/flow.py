"""A flow of signed events of three agencies, and what an independent reader expects to come of it."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.compose import compose
from casebus_schemas.wire.door import parse_event
from casebus_schemas.wire.headers import fields_of
from casebus_schemas.wire.ids import notice_id
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.signing import SigningKey
from casebus_schemas.wire.stream_head import StreamHead

CLOCK = datetime(2022, 4, 1, 1, 0, tzinfo=UTC)
"""What the bus's clock shows during a flow: long after its first events, so that some terms are over."""

START = datetime(2022, 3, 1, 1, 0, tzinfo=UTC)
_NAMES = UUID("b3c1b2a4-9f37-4b3c-8e4d-7c0c2f6f5a10")
_BY_LAW = {"referral.submitted": ("spp",), "referral.filed": ("spp",)}
"""Who hears by law, written here a second time on purpose: the oracle must not read the router's table."""


@dataclass(frozen=True, slots=True)
class Said:
    """One record of the flow and what must become of it."""

    agency: str
    record: Outgoing
    digest: bytes
    admitted: bool
    notices: frozenset[tuple[str, UUID]]


@dataclass
class Flow:
    """Records in the order in which they are said; `chains` chains with about five events each.

    With `trouble` every 50th record is said twice in place (the same bytes), every 70th is signed with
    another agency's key.
    """

    keys: Mapping[str, SigningKey]
    chains: int
    partitions: int = 4
    name: str = "flow"
    trouble: bool = True
    said: list[Said] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._catalog = Catalog.load()
        self._heads: dict[tuple[str, str, int], StreamHead] = {}
        steps = [self._chain(number) for number in range(self.chains)]
        shuffled = random.Random(7)
        while steps:
            chain = shuffled.choice(steps)
            if (step := next(chain, None)) is None:
                steps.remove(chain)
                continue
            self._say(*step)

    @property
    def records(self) -> list[Outgoing]:
        """What is produced, in order."""
        return [said.record for said in self.said]

    def expected_notices(self) -> set[tuple[str, UUID]]:
        """(agency, notice id) of each notice that must be in an inbox, and no other from agencies' events."""
        return set().union(*(said.notices for said in self.said if said.admitted))

    def admitted_digests(self) -> set[bytes]:
        """Digests of events that have an effect."""
        return {said.digest for said in self.said if said.admitted}

    def refused(self) -> Counter[str]:
        """How many records of each agency must be dead letters."""
        return Counter(said.agency for said in self.said if not said.admitted)

    # --- what is said ------------------------------------------------------------------------------------

    def _chain(self, number: int) -> Any:
        chain = str(uuid5(_NAMES, f"{self.name}/{number}"))
        begun = START + timedelta(hours=number % 480)
        gain = f"{1_000_000 + number * 10}.00"
        first = f"{self.name}-{number}-submitted"
        facts = _facts(gain)
        yield chain, "csrc", "referral.submitted", first, begun, facts | {"annexes": []}, None
        receipt = {
            "received_at": _iso(begun + timedelta(hours=2)),
            "competent": True,
            "complete": True,
            "missing": [],
            "officer": "officer 1",
        }
        yield chain, "mps", "referral.receipted", f"{first}-r", begun + timedelta(hours=2), receipt, first
        if number % 3 == 0:
            yield from self._consultation(chain, number, begun)
        if number % 4 != 3:
            slip = gain if number % 5 else f"{100 + number * 0.001:.2f}"
            decided = begun + timedelta(days=2 + number % 9)
            filed = _facts(slip) | {
                "case_no": f"A{number:07}",
                "decided_at": _iso(decided),
                "reasons": None,
            }
            yield chain, "mps", "referral.filed", f"{first}-f", decided, filed, first

    def _consultation(self, chain: str, number: int, begun: datetime) -> Any:
        asked = f"{self.name}-{number}-asked"
        question = {"question": "which charge", "expected_by": None}
        yield chain, "csrc", "consultation.requested", asked, begun + timedelta(hours=5), question, None
        answer = {"opinion": "182", "binding": False}
        yield chain, "spp", "consultation.answered", f"{asked}-a", begun + timedelta(days=1), answer, asked

    def _say(
        self,
        chain: str,
        agency: str,
        event: str,
        label: str,
        time: datetime,
        facts: dict[str, Any],
        answers: str | None,
    ) -> None:
        to = {"csrc": "mps", "mps": "csrc", "spp": "csrc"}[agency]
        if event == "consultation.requested":
            to = "spp"
        door = {
            "specversion": "1.0",
            "type": event,
            "source": f"/{agency}/desk",
            "id": str(uuid5(_NAMES, label)),
            "time": _iso(time),
            "subject": chain,
            "data": _with_envelope(
                self._schema_fields(event), agency, to, facts, answers and self._id(answers)
            ),
        }
        ready = parse_event(door, self._catalog)
        schema = self._catalog.latest(event)
        channel = self._catalog.types[event].channel
        topic, producer = f"{agency}.{channel}", f"{agency}-flow.1"
        number = len(self.said) + 1
        broken = self.trouble and number % 70 == 0
        key = self.keys["spp" if agency != "spp" else "mps"] if broken else self.keys[agency]
        partition_head = self._head(producer, topic, chain)
        composed = compose(
            value=encode(schema, ready.data),
            fingerprint=schema.fingerprint,
            id=UUID(door["id"]),  # type: ignore[arg-type]  # a text above
            type=event,
            source=ready.source,
            time_ms=int(ready.time.timestamp() * 1000),
            subject=chain,
            topic=topic,
            partitions=self.partitions,
            producer=producer,
            head=partition_head,
            key=key,
        )
        self._heads[producer, topic, composed.record.partition] = composed.head
        told = {to, *_BY_LAW.get(event, ())} - {agency}
        notices = frozenset((name, notice_id(fields_of(composed.record), name)) for name in told)
        said = Said(agency, composed.record, composed.digest, not broken, notices)
        self.said.append(said)
        if self.trouble and number % 50 == 0:
            self.said.append(said)

    def _head(self, producer: str, topic: str, chain: str) -> StreamHead:
        from casebus_schemas.wire.partitioning import partition_of

        return self._heads.get((producer, topic, partition_of(chain.encode(), self.partitions)), StreamHead())

    def _id(self, label: str) -> str:
        return str(uuid5(_NAMES, label))

    def _schema_fields(self, event: str) -> set[str]:
        return {entry["name"] for entry in self._catalog.latest(event).schema["fields"]}


def _with_envelope(
    known: set[str], agency: str, to: str, facts: dict[str, Any], answers: str | None
) -> dict[str, Any]:
    envelope = {
        "message_class": "response" if answers else "initial",
        "to": [to],
        "cc": [],
        "in_reply_to": answers,
        "local_refs": [{"issuer": agency, "scheme": "case", "value": "flow"}],
        "precision": "second",
        "date_basis": "stated",
        "handling": "H1",
    }
    return {"envelope": envelope} | {name: value for name, value in facts.items() if name in known}


def _facts(gain: str) -> dict[str, Any]:
    return {
        "security": {"market": "SSE", "code": "699999", "name": None},
        "suspects": [{"ref": "S1", "kind": "natural", "name": "甲某", "role": "controller", "tokens": []}],
        "charges": [{"suspect": "S1", "article": "182"}],
        "amounts": [{"basis": "illegal_gain", "value": gain, "currency": "CNY", "period": None}],
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
