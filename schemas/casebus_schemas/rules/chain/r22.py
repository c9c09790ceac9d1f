"""R22: answers or corrections of one matter that exclude each other; nothing wins by itself."""

from collections.abc import Iterable, Iterator, Sequence

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.effects import MOST_CORRECTIONS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import quoted

from ..finding import Suggestion
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import MOST_NAMED, accounts_of, correction_by

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
        "referral.filed",
        "referral.not_filed",
        "outcome.prosecuted",
        "outcome.not_prosecuted",
        *_UNDONE,
        "*.suspects",
        "corrections",
    ),
    acts=Sentence("作出二者的机关", "the agency that said both"),
    mends=Sentence("更正或撤回其中之一", "a correction or withdrawal of one of them"),
    closes=Sentence("只剩其一有效时", "when only one of them still stands"),
)


@RULE.over_case
def contradictions(case: Case) -> Iterator[Found]:
    """Filed and not filed; prosecuted and not prosecuted for one suspect; rival corrections of one event."""
    folded = case.folded
    filed, refused = folded.answers_of("referral.filed"), folded.answers_of("referral.not_filed")
    # What answers nothing that the chain holds may answer any referral.
    anyway_filed, anyway_refused = filed.get(None, []), refused.get(None, [])
    for request in dict.fromkeys((*filed, *refused)):
        yes = filed.get(request, []) or anyway_filed
        no = refused.get(request, []) or anyway_refused
        if yes and no:
            of = request.hex() if request else ""
            yield _conflict(f"referral\n{of}", yes, no, case.catalog)
    suspects = folded.suspects
    charged, cleared = (
        suspects.last_lists(type) for type in ("outcome.prosecuted", "outcome.not_prosecuted")
    )
    undone = _undone(case) if charged.keys() & cleared.keys() else set()
    for number in sorted((charged.keys() & cleared.keys()) - undone):
        person = suspects.person(number)
        yield _conflict(f"suspect\n{person.key}", [charged[number]], [cleared[number]], case.catalog)
    for rivals in folded.rivals:
        yield _rivals(rivals)
    for origin, idle in folded.too_many.items():
        yield _too_many(folded.by_digest[origin], idle)


def _undone(case: Case) -> set[int]:
    """For whom an indictment was withdrawn or a non-prosecution was changed; all if it lists nobody."""
    suspects = case.folded.suspects
    found: set[int] = set()
    for type in _UNDONE:
        for event in case.folded.standing_of.get(type, ()):
            if type in _REVOKED and event.data.get("result") != "changed":
                continue
            listed = suspects.listed(event) or suspects.persons
            found.update(person.number for person in listed)
    return found


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
