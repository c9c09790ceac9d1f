"""R45: a referral is withdrawn when the case was filed already: only the police can cancel a case."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.case.kin import FILED, REFERRED, Kin
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency

from ..across.r43 import merger_of
from ..finding import said
from ..folded_case import Case
from ..rule import Found, Rule

RULE = Rule(
    RuleId("R45"),
    title=Sentence("立案后撤回移送", "a referral withdrawn after filing"),
    scopes=("chain", "across"),
    cls="state",
    severity="high",
    forbids=True,
    looks_at=(FILED, "corrections"),
    kin=("merged",),
    matters=("withdrawn",),
    acts=Sentence("公安机关", "the police"),
    mends=Sentence("撤销案件,或移送机关收回撤回", "a cancelled case, or the withdrawal taken back"),
    closes=Sentence("撤回被收回或立案被撤回时", "when the withdrawal or the filing is itself withdrawn"),
    law=(Article("mps-procedure-2020", "186"),),
)


class Filings(Kept):
    """Each filing that stands before the withdrawal of the referral which it answers."""

    types = frozenset((FILED,))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self.too_late: list[Found] = []

    def add(self, event: ChainEvent) -> None:
        """Takes one more filing."""
        folded = self.folded
        for digest in sorted(folded.thread(event) & folded.withdrawn.keys(), key=folded.place.__getitem__):
            referral, taken_back = folded.by_digest[digest], folded.by_digest[folded.withdrawn[digest]]
            before = folded.place[event.digest] < folded.place[taken_back.digest]
            if before and referral.type == REFERRED:
                self.too_late.append(_too_late(str(referral.id), referral, taken_back, event))


@RULE.over_case
def withdrawn_after_filing(case: Case) -> Collection[Found]:
    """Each filing that stands before the withdrawal of the referral which it answers."""
    return case.kept(Filings).too_late if case.folded.withdrawn else ()


@RULE.over_kin
def withdrawn_after_merging(kin: Kin) -> Iterator[Found]:
    """The first referral that is withdrawn in its own chain though the case into which it went was filed."""
    merger = merger_of(kin)
    filings = [] if merger is None else merger.into.standing_of.get(FILED, ())
    if merger is None or not filings:
        return
    filed = min(filings, key=lambda event: (event.admitted_at, event.digest))
    for folded in merger.sources.values():
        if folded.standing_of.get(FILED):
            continue  # the chain shows it by itself
        for digest, withdrawal in folded.withdrawn.items():
            referral, taken_back = folded.by_digest[digest], folded.by_digest[withdrawal]
            if referral.type == REFERRED and taken_back.admitted_at > filed.admitted_at:
                yield replace(
                    _too_late("withdrawn", referral, taken_back, filed),
                    chain=merger.by.chain,
                    uses=[merger.by],
                )
                return


def _too_late(subject: str, referral: ChainEvent, taken_back: ChainEvent, filed: ChainEvent) -> Found:
    return Found(
        subject=subject,
        causes=[referral, taken_back, filed],
        accounts=[said(event) for event in (taken_back, filed)],
        because=Sentence(
            f"{agency(filed.agency).zh}立案后{agency(referral.agency).zh}才撤回移送,刑事案件只能由公安机关撤销",
            f"{agency(referral.agency).en} withdrew the referral after "
            f"{agency(filed.agency).en} had filed: only the police can cancel a criminal case",
        ),
    )
