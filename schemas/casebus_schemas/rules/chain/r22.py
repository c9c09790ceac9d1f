"""R22: answers or corrections of one matter that exclude each other; nothing wins by itself."""

from collections.abc import Iterable, Iterator, Sequence

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.effects import MOST_CORRECTIONS
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import quoted

from ..finding import Suggestion
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import MOST_NAMED, accounts_of, correction_by

_FILED, _REFUSED = "referral.filed", "referral.not_filed"
_CHARGED, _CLEARED = "outcome.prosecuted", "outcome.not_prosecuted"
_REVOKED = (
    "outcome.reconsideration_decided",
    "outcome.review_decided",
    "outcome.complaint_decided",
)
"""With the result `changed` they undo that somebody is not prosecuted."""
_UNDONE = ("outcome.indictment_withdrawn", *_REVOKED)
"""After these the other decision about somebody is lawful."""

RULE = Rule(
    RuleId("R22"),
    title=Sentence("相互矛盾的答复或更正", "answers or corrections that contradict each other"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=(
        _FILED,
        _REFUSED,
        _CHARGED,
        _CLEARED,
        *_UNDONE,
        "persons",
        "corrections",
    ),
    acts=Sentence("作出二者的机关", "the agency that said both"),
    mends=Sentence("更正或撤回其中之一", "a correction or withdrawal of one of them"),
    closes=Sentence("只剩其一有效时", "when only one of them still stands"),
)


class Answers(Kept):
    """Which referrals were answered both ways, who was both charged and cleared, and what of it is found."""

    types = frozenset((_FILED, _REFUSED, _CHARGED, _CLEARED, *_UNDONE))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._of: dict[str, dict[Digest | None, list[ChainEvent]]] = {_FILED: {}, _REFUSED: {}}
        self._last: dict[str, dict[int, ChainEvent]] = {_CHARGED: {}, _CLEARED: {}}
        self._undone: set[int] = set()
        self._all_undone = False
        self._referrals: dict[Digest | None, Found] = {}
        self._suspects: dict[int, Found] = {}
        self._rivals: dict[int, Found] = {}
        self._too_many: dict[Digest, tuple[int, Found]] = {}

    def add(self, event: ChainEvent) -> None:
        """Takes an answer, a charge or what undoes one."""
        if event.type in self._of:
            self._answer(event)
        elif event.type in self._last:
            self._decide(event)
        elif event.type not in _REVOKED or event.data.get("result") == "changed":
            listed = self.folded.suspects.listed(event)
            self._undone.update(person.number for person in listed)
            self._all_undone = self._all_undone or not listed

    def found(self) -> Iterator[Found]:
        """Referrals first, then suspects, rival corrections, and those beyond the limit."""
        yield from self._referrals.values()
        if not self._all_undone:
            yield from (self._suspects[one] for one in sorted(self._suspects) if one not in self._undone)
        for place, rivals in enumerate(self.folded.rivals):
            if place not in self._rivals:
                self._rivals[place] = _rivals(rivals)
            yield self._rivals[place]
        for origin, idle in self.folded.too_many.items():
            known = self._too_many.get(origin)
            if known is None or known[0] != len(idle):
                known = (len(idle), _too_many(self.folded.by_digest[origin], idle))
                self._too_many[origin] = known
            yield known[1]

    def _answer(self, event: ChainEvent) -> None:
        request = self.folded.request_of(event)
        origin = None if request is None else self.folded.origin_of(request.digest)
        of_type = self._of[event.type]
        answers = of_type.setdefault(origin, [])
        answers.append(event)
        if len(answers) > MOST_NAMED and answers[-2].agency == event.agency:
            return  # a finding names the first answers, and whom it asks says the last one's speaker
        if origin is not None:
            self._contradict(origin)
        else:
            for one in dict.fromkeys((*self._of[_FILED], *self._of[_REFUSED])):
                self._contradict(one)

    def _contradict(self, request: Digest | None) -> None:
        # What answers nothing that the chain holds may answer any referral.
        filed, refused = self._of[_FILED], self._of[_REFUSED]
        yes = filed.get(request) or filed.get(None)
        no = refused.get(request) or refused.get(None)
        if yes and no:
            of = request.hex() if request else ""
            self._referrals[request] = _conflict(f"referral\n{of}", yes, no, self.catalog)

    def _decide(self, event: ChainEvent) -> None:
        suspects = self.folded.suspects
        charged, cleared = self._last[_CHARGED], self._last[_CLEARED]
        for person in suspects.listed(event):
            number = person.number
            self._last[event.type][number] = event
            if number in charged and number in cleared:
                yes, no = [charged[number]], [cleared[number]]
                key = suspects.person(number).key
                self._suspects[number] = _conflict(f"suspect\n{key}", yes, no, self.catalog)


@RULE.over_case
def contradictions(case: Case) -> Iterator[Found]:
    """Filed and not filed; prosecuted and not prosecuted for one suspect; rival corrections of one event."""
    return case.kept(Answers).found()


def _conflict(subject: str, yes: Sequence[ChainEvent], no: Sequence[ChainEvent], catalog: Catalog) -> Found:
    """What was said both ways, by the first events that said each."""
    said = [*yes[:MOST_NAMED], *no[:MOST_NAMED]]
    return Found(
        subject=subject,
        causes=[yes[0], no[0]],
        named_by=(),
        accounts=accounts_of(said),
        because=Sentence(
            f"对同一事项既有{quoted(yes[0].type).zh}又有{quoted(no[0].type).zh},二者均有效,须由作出机关更正",
            f"one matter is answered with both {quoted(yes[0].type).en} and {quoted(no[0].type).en}; "
            "both stand until one is corrected",
        ),
        suggestion=correction_by(no[-1], catalog),
    )


def _rivals(rivals: tuple[ChainEvent, ...]) -> Found:
    about, last = rivals[0].corrects or rivals[0].withdraws or b"", rivals[-1]
    number, named = len(rivals), last.digest.hex()
    return Found(
        subject=f"corrections\n{about.hex()}",
        causes=rivals,
        named_by=(),
        accounts=accounts_of(rivals),
        because=Sentence(
            f"对同一事件有{number}个并列的更正,均不生效,原文不变。须撤回多余的一个,"
            f"在withdraws中写明其摘要{named};再发一个更正只会又多一个并列的更正",
            f"{number} rival corrections of one event: none takes effect, it stands. Take all but one back, "
            f"with withdraws and the digest {named}; one more correction of the event is one more rival",
        ),
        suggestion=Suggestion(last.type, Agency(last.agency)),
        beside=_told(rivals),
        apart=_MORE_THAN_ONE,
    )


_MORE_THAN_ONE = Sentence(
    "贵机关获知的一个更正或撤回并非唯一,不生效",
    "a correction that you were told of is not the only one: it has no effect",
)


def _told(events: Iterable[ChainEvent]) -> list[str]:
    """Who was told of these: they must hear that these have no effect."""
    return sorted(frozenset[str]().union(*(event.told for event in events)))


def _too_many(about: ChainEvent, idle: Sequence[ChainEvent]) -> Found:
    return Found(
        subject=f"too many corrections\n{about.digest.hex()}",
        causes=idle[:1],
        named_by=(),
        accounts=accounts_of(idle[:MOST_NAMED]),
        because=Sentence(
            f"对同一事件的更正或撤回多于{MOST_CORRECTIONS}个,其后的{len(idle)}个不生效",
            f"one event was corrected or withdrawn more than {MOST_CORRECTIONS} times: {len(idle)} behind "
            "those have no effect",
        ),
        beside=_told(idle[:MOST_NAMED]),
        apart=_MORE_THAN_ONE,
    )
