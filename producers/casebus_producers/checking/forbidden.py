"""What the law leaves no room for is seen before an event is said, in what the agency's own file knows."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from casebus_schemas.agencies import agency_of_source
from casebus_schemas.case.chain import UNREAD, ChainEvent, chain_event
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.clocks import Article
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.door import DoorProblem

from ..outbox.despite_law import Despite
from ..own_events import OwnEvent, said_in

REFERRED, FILED = "referral.submitted", "referral.filed"
MAY_BE_FORBIDDEN = (
    "progress.returned_for_supplement",
    "administrative.commitment_accepted",
    "referral.withdrawn",
)
"""Types of which the law may leave no room for one more (R12, R47, R45): whoever says one is refused.

The same rules find what others bring about later; nobody is refused for that.
"""
_HEARD = "SELECT digest, id, type, source FROM known_event WHERE chain = ? AND sent = 0 ORDER BY rowid"
_TAKES_BACK = ("referral.corrected", "referral.withdrawn")
_MOMENT = timedelta(milliseconds=1)


class Forbidden(NamedTuple):
    """Why the law leaves no room for an event: the rule that finds it, its articles, and what it finds."""

    rule: str
    law: tuple[Article, ...]
    because: Sentence

    @property
    def articles(self) -> str:
        """Instrument and article of each."""
        return "; ".join(f"{article.instrument} {article.article}" for article in self.law)

    def despite(self, reason: str) -> Despite:
        """What is kept of it where it is said all the same."""
        return Despite(self.rule, self.articles, reason)


class AgainstLaw(DoorProblem):
    """An event that the law leaves no room for; `forbidden` says why, `zh` is `detail` in Chinese."""

    def __init__(self, forbidden: Forbidden) -> None:
        super().__init__(
            "/type",
            f"the law leaves no room for it ({forbidden.rule})",
            found=forbidden.because.en,
            expected=f"what {forbidden.articles} allows",
            remedy="do not say it, or say it with a reason that is kept: "
            "`casebus publish --despite-law REASON`, or ?despite_law=REASON at the door",
        )
        self.forbidden = forbidden
        self.law = (forbidden.articles,)
        self.zh = (
            f"/type: 法律不允许（{forbidden.rule}，{forbidden.articles}）：{forbidden.because.zh}；"
            "请勿发出；确需发出的，写明理由并留存：`casebus publish --despite-law 理由`，"
            "或在接口使用 ?despite_law=理由"
        )


def forbidden(
    connection: sqlite3.Connection, agency: str, catalog: Catalog, said: ChainEvent
) -> tuple[Forbidden, ...]:
    """Why the law leaves no room for an event, by what the agency said and heard of the chain before.

    Of what it heard its file has no bodies: a filing answers the one referral that stands in the chain.
    """
    if said.type not in MAY_BE_FORBIDDEN:
        return ()
    from casebus_schemas.case.fold import fold  # loaded where it is needed: most commands never do
    from casebus_schemas.rules.reconcile import reconcile
    from casebus_schemas.rules.register import RULES

    rules = {id: rule for id, rule in RULES.items() if rule.forbids}
    own = [_as_said(one, catalog) for one in said_in(connection, said.chain)]
    heard = _heard(connection, agency, said, own)
    found = reconcile(fold([*own, *heard, said]), rules=rules, catalog=catalog).content
    return tuple(
        Forbidden(finding.rule, finding.law, finding.because)
        for finding in found
        if said.digest in finding.causes
    )


def is_refused_for(event: ChainEvent) -> bool:
    """Whether an event is refused for what a rule finds in it: what only shows what is wrong is not."""
    return event.type in MAY_BE_FORBIDDEN


def _heard(
    connection: sqlite3.Connection, agency: str, said: ChainEvent, own: list[ChainEvent]
) -> Iterator[ChainEvent]:
    """What was heard of the chain, by its headers, as heard before the event is said.

    Nothing of whom may have taken something back: that stands in no header.
    """
    rows = [row for row in connection.execute(_HEARD, (said.chain,)) if agency_of_source(row[3]) != agency]
    unclear = {agency_of_source(row[3]) for row in rows if row[2] in _TAKES_BACK}
    referrals = [event for event in own if event.type == REFERRED and event.corrects is None]
    answered = referrals[0].id if len(referrals) == 1 else None
    for place, (digest, id, type, source) in enumerate(rows):
        if agency_of_source(source) in unclear:
            continue
        at = said.occurred_at - _MOMENT * (len(rows) - place)
        yield ChainEvent(
            digest=digest,
            id=UUID(id),
            type=type,
            agency=agency_of_source(source),
            source=source,
            chain=said.chain,
            occurred_at=at,
            admitted_at=at,
            envelope={"in_reply_to": answered} if type == FILED and answered is not None else {},
            data={},
            told=frozenset({agency}),
            handled=UNREAD,
        )


def _as_said(event: OwnEvent, catalog: Catalog) -> ChainEvent:
    headers = event.headers
    return chain_event(
        digest=event.digest,
        id=headers.id,
        type=headers.type,
        source=headers.source,
        chain=headers.subject,
        time_ms=headers.time_ms,
        admitted_at_ms=headers.time_ms,
        body=event.data(catalog),
    )
