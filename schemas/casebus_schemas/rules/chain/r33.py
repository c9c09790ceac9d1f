"""R33: laundering is put under an article that its predicate does not fit: 191 for 312, or the reverse."""

from collections.abc import Iterator

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.case.laundering import CHECKING, Key, Launderer, LaunderingTrack, LaunderingTracks
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.law.predicates import LAUNDERING_ARTICLES, LaunderingCrime, crime_of
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import GAINS, agency, word

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import NOTHING, correction_by, short

RULE = Rule(
    RuleId("R33"),
    title=Sentence("洗钱罪上游犯罪有误", "a predicate that the article on laundering does not fit"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=(*CHECKING, "persons"),
    acts=Sentence("提出该罪名的机关", "the agency that named the article"),
    mends=Sentence("更正罪名条款,或说明上游犯罪", "to correct the article, or to explain the predicate"),
    closes=Sentence("罪名与上游犯罪相符时", "when article and predicate fit"),
)
"""It advises: whose gains they are, and which crime the predicate is, only a court decides."""


class Words(Kept):
    """Each agency's last word on who launders the gains of which predicate, and those that do not fit."""

    types = frozenset(CHECKING)

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._tracks = LaunderingTracks(folded.suspects)
        self._unfit: dict[Key, dict[tuple[str, Digest], Found]] = {}

    def add(self, event: ChainEvent) -> None:
        """Takes one more look into laundering."""
        for key, track in self._tracks.add(event).items():
            unfit: dict[tuple[str, Digest], Found] = {}
            for said in track.launderers.values():
                found = _unfit(track, said, self.catalog)
                if found is not None:
                    unfit.setdefault((found.subject, said.event.digest), found)
            self._unfit[key] = unfit

    def found(self) -> Iterator[Found]:
        """One word each, though two tracks show the same."""
        shown: dict[tuple[str, Digest], None] = {}
        for unfit in self._unfit.values():
            for key, found in unfit.items():
                if key not in shown:
                    shown[key] = None
                    yield found


@RULE.over_case
def unfit_article(case: Case) -> Iterator[Found]:
    """Each word on laundering under 191 or 312 that the table of predicates puts elsewhere."""
    return case.kept(Words).found()


def _unfit(track: LaunderingTrack, said: Launderer, catalog: Catalog) -> Found | None:
    crime = crime_of(track.predicate, "self" if said.gains == "self" else "others")
    if crime is None or said.article not in LAUNDERING_ARTICLES or said.article == crime.article:
        return None
    subject = f"{said.name}\n{track.offender}\n{track.predicate}\n{said.article}"
    return _found(track, said, crime, subject, catalog)


def _found(
    track: LaunderingTrack, said: Launderer, crime: LaunderingCrime, subject: str, catalog: Catalog
) -> Found:
    value = {
        "launderer": said.name and short(said.name),
        "gains": said.gains,
        "predicate": short(track.predicate),
        "article": said.article,
        "fits": crime.article,
    }
    articles = [said.article or "", *([crime.article] if crime.article else [])]
    return Found(
        subject=subject,
        causes=[said.event],
        accounts=[account(said.event, value)],
        because=_because(track.predicate, said, crime),
        suggestion=correction_by(said.event, catalog),
        law=[Article("criminal-law", article) for article in dict.fromkeys(articles)],
    )


def _because(predicate: str, said: Launderer, crime: LaunderingCrime) -> Sentence:
    who, whose, of = agency(said.agency), word(GAINS, said.gains), short(predicate)
    doubt = NOTHING if crime.verified else Sentence("(未核实)", " (unverified)")
    if crime.article is None:
        return Sentence(
            f"{who.zh}以第{said.article}条评价{whose.zh},但第{of}条犯罪所得的自洗钱不另成罪{doubt.zh}",
            f"{who.en} names article {said.article} ({whose.en}), but to launder one's own gains of "
            f"article {of} is no separate crime{doubt.en}",
        )
    return Sentence(
        f"{who.zh}以第{said.article}条评价对第{of}条犯罪所得的洗钱({whose.zh}),应考虑第{crime.article}条{doubt.zh}",
        f"{who.en} names article {said.article} for laundering the gains of article {of} ({whose.en}); "
        f"article {crime.article} fits that predicate{doubt.en}",
    )
