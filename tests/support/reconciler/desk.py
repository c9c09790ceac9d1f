"""Three agencies that play one case, and a reconciler that listens, without a broker."""

from collections.abc import Sequence
from typing import Any

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.calendars import EnteredNotice
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.signing import SigningKey
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.agent import ReconcilerAgent
from casebus_services.reconciler.announce import Announcer
from casebus_services.reconciler.intake import NO_LIMIT, Budget
from casebus_services.reconciler.proven import Keys
from casebus_services.reconciler.stepped_over import SteppedOver
from support.cases.chains import amount, at, suspects
from support.events.admissions import Admitter, KnownKeys, MemorySink
from support.events.signed_events import chain, envelope, seed_of

STORY_CHAIN = chain(1)


def ms(text: str) -> int:
    return int(at(text).timestamp() * 1000)


def envelope_at(when: str, **changes: Any) -> dict[str, Any]:
    precision = "second" if "T" in when else "day"
    return envelope(occurred_at=at(when), precision=precision, **changes)


class Desk:
    """Three agencies that play one case, and a reconciler that listens."""

    def __init__(self, database: Database) -> None:
        self.admitter = Admitter(now_ms=ms("2022-09-29"))
        self.sink = MemorySink()
        self.now_ms = ms("2022-09-29T12:00")
        self.database = database
        self.agent = self.new_agent()

    def new_agent(
        self,
        sink: Any = None,
        keys: Keys | None = None,
        budget: Budget = NO_LIMIT,
        stepped_over: SteppedOver | None = None,
        notices: Sequence[EnteredNotice] = (),
    ) -> ReconcilerAgent:
        announcer = Announcer(Catalog.load(), SigningKey(seed_of("bus")), 4)
        return ReconcilerAgent(
            self.database,
            Catalog.load(),
            announcer,
            sink or self.sink,
            lambda: self.now_ms,
            keys or KnownKeys(self.admitter.keyring),
            incarnation=7,
            budget=budget,
            stepped_over=lambda: stepped_over or {},
            notices=lambda: notices,
        )

    def refer(self, when: str = "2022-09-28", number: int = 1) -> Composed:
        data = {
            "envelope": envelope_at(when, to=["mps"]),
            "suspects": suspects("姜某君", "柳某"),
            "charges": [{"suspect": "S1", "article": "180(4)"}],
            "amounts": [amount("illegal_gain", "46190000.00", "2009-04-01", "2013-02-28")],
        }
        return self.admitter.speaker("csrc").say("referral.submitted", data, chain(number))

    def answer(self, referral: Composed, when: str, type: str, number: int = 1, **facts: Any) -> Composed:
        headers = EventHeaders.parse(referral.record.headers)
        said = envelope_at(
            when,
            to=["csrc"],
            message_class="response",
            in_reply_to=headers.id,
            in_reply_to_hash=referral.digest,
        )
        return self.admitter.speaker("mps").say(type, {"envelope": said, **facts}, chain(number))

    def play(self, number: int = 1, admitted_ms: int | None = None) -> None:
        """A referral, its receipt, and a filing whose figure is in ten thousands."""
        referral = self.refer(number=number)
        self._admit(referral, "2022-09-28T10:00", admitted_ms)
        receipt = self.answer(
            referral,
            "2022-09-29T10:00",
            "referral.receipted",
            number,
            received_at=at("2022-09-29T10:00"),
            competent=True,
            complete=True,
        )
        self._admit(receipt, "2022-09-29T10:01", admitted_ms)
        filed = self.answer(
            referral,
            "2022-09-30T10:00",
            "referral.filed",
            number,
            suspects=suspects("姜某君", "柳某"),
            amounts=[amount("illegal_gain", "4619.00", "2009-04-01", "2013-02-28")],
        )
        self._admit(filed, "2022-09-30T10:01", admitted_ms)

    def _admit(self, event: Composed, when: str, admitted_ms: int | None) -> None:
        self.admitter.admit(event, at_ms=ms(when) if admitted_ms is None else admitted_ms)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.database.reading() as transaction:
            return [tuple(row) for row in transaction.rows(sql)]
