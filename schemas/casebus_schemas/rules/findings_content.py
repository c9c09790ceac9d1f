"""Findings about what agencies say: R30 amounts, R31 suspects, R39 charges without outcome."""

from collections.abc import Iterator
from itertools import combinations, pairwise

from casebus_schemas.case.accounts import charges_of, current_amounts, plain
from casebus_schemas.case.amounts import CONDUCT, Slip, Stated, slip
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.persons import Suspects
from casebus_schemas.law import Sentence
from casebus_schemas.texts.symbols import BASES, agency, money, times, unit, word

from .finding import Account, Finding, Suggestion, account, finding

_CORRECTED_BY = {
    "csrc": "referral.corrected",
    "mps": "referral.corrected",
}
"""Who has an event to correct an amount or a list with."""

_LISTS: dict[str, tuple[str, ...]] = {
    "csrc": ("referral.submitted",),
    "mps": ("referral.filed", "progress.transferred_for_prosecution"),
    "spp": ("outcome.prosecuted", "outcome.not_prosecuted"),
}
"""Events in which an agency says who the suspects of the case are, in the order of the case.

Measures and detentions name whom they touch, not everybody. Indictment and judgment are compared by
charge (R39).
"""


def differing_amounts(folded: Folded) -> Iterator[Finding]:
    """R30: two agencies state different figures of the same basis, currency and period."""
    by_kind: dict[object, list[Stated]] = {}
    for stated in current_amounts(folded.standing).values():
        if stated.kind.basis in CONDUCT:
            by_kind.setdefault(stated.kind.sort_key, []).append(stated)
    for stated_of_kind in by_kind.values():
        stated_of_kind.sort(key=lambda stated: stated.agency)
        for left, right in combinations(stated_of_kind, 2):
            if left.value != right.value:
                yield _amounts(left, right)


def _amounts(left: Stated, right: Stated) -> Finding:
    slipped = slip(left, right)
    kind = left.kind
    said = _differ(left, right, slipped)
    # Without a slip nothing says who errs: whoever spoke last is asked first.
    by = slipped.suspect if slipped else max((left, right), key=lambda s: s.event.sort_key).agency
    return finding(
        "R30",
        chain=left.event.chain,
        subject=f"{kind.basis}\n{kind.currency}\n{'—'.join(kind.period or ())}",
        causes=[left.event, right.event],
        severity="high" if slipped else "medium",
        accounts=[account(stated.event, _value(stated, slipped)) for stated in (left, right)],
        because=said,
        suggestion=Suggestion(_CORRECTED_BY[by], by) if by in _CORRECTED_BY else None,
    )


def _value(stated: Stated, slipped: Slip | None) -> dict[str, object]:
    value: dict[str, object] = {**stated.kind.to_json(), "value": plain(stated.value)}
    if slipped is not None and slipped.suspect == stated.agency:
        value["likely_slip"] = {"factor": str(slipped.factor), "sign": slipped.sign}
    return value


def _differ(left: Stated, right: Stated, slipped: Slip | None) -> Sentence:
    """Both figures in words, and what seems to have happened."""
    kind, one, other = (
        left.kind,
        money(left.value, left.kind.currency),
        money(right.value, right.kind.currency),
    )
    what = word(BASES, kind.basis)
    since, until = kind.period or ("", "")
    span = Sentence(f"({since}至{until})", f" ({since} to {until})") if kind.period else Sentence("", "")
    explained = _slip(slipped) if slipped is not None else Sentence("", "")
    return Sentence(
        f"{_zh(left)}称{what.zh}{span.zh}为{one.zh},{_zh(right)}称{other.zh}{explained.zh}",
        f"{_en(left)} states {what.en}{span.en} as {one.en}, {_en(right)} as {other.en}{explained.en}",
    )


def _slip(slipped: Slip) -> Sentence:
    zh, en = "", ""
    if slipped.factor != 1:
        apart, given = times(slipped.factor), unit(slipped.factor)
        zh = f",相差{apart.zh},疑以{given.zh}填报"
        en = f": {apart.en} apart, probably given in {given.en}"
    if slipped.sign:
        zh, en = f"{zh},正负号相反", f"{en}, with opposite signs"
    return Sentence(zh, en)


def differing_suspects(folded: Folded) -> Iterator[Finding]:
    """R31: the suspect lists of two agencies that follow each other in the case do not match."""
    lists = {
        who: [e for e in folded.standing if e.agency == who and e.type in types and e.data.get("suspects")]
        for who, types in _LISTS.items()
    }
    listed = [
        (who, {person.number: person for e in events for person in folded.suspects.listed(e)}, events)
        for who, events in lists.items()
        if events and sum(map(bool, lists.values())) > 1
    ]
    for (left, mine, my_events), (right, theirs, their_events) in pairwise(listed):
        if mine.keys() == theirs.keys():
            continue
        here = sorted(person.name for number, person in mine.items() if number not in theirs)
        there = sorted(person.name for number, person in theirs.items() if number not in mine)
        by = right if here else left
        yield finding(
            "R31",
            chain=my_events[0].chain,
            subject=f"{left}\n{right}",
            causes=[*my_events, *their_events],
            severity="medium",
            accounts=[
                Account(
                    left,
                    {"suspects": [p.name for p in mine.values()], "missing": there},
                    my_events[-1].digest,
                ),
                Account(
                    right,
                    {"suspects": [p.name for p in theirs.values()], "missing": here},
                    their_events[-1].digest,
                ),
            ],
            because=Sentence(
                f"嫌疑主体不一致:{_missing_zh(right, here)}{_missing_zh(left, there)}".rstrip(";"),
                f"the suspects differ: {_missing_en(right, here)}{_missing_en(left, there)}".rstrip("; "),
            ),
            suggestion=Suggestion(_CORRECTED_BY[by], by) if by in _CORRECTED_BY else None,
        )


def charges_without_outcome(folded: Folded) -> Iterator[Finding]:
    """R39: a charge of the indictments has no counterpart in the judgments, or the reverse."""
    indictments = [event for event in folded.standing if event.type == "outcome.prosecuted"]
    judgments = [event for event in folded.standing if event.type == "outcome.judgment"]
    if not indictments or not judgments:
        return
    charged = _pairs(indictments, folded.suspects)
    decided = _pairs(judgments, folded.suspects)
    if not charged or not decided:
        return
    for article in dict.fromkeys(article for _, article in charged):
        names = [name for (name, of), _ in charged.items() if of == article and (name, of) not in decided]
        if names:
            causes = [charged[name, article] for name in names] + judgments
            yield _charge(article, names, causes, charged_only=True, events=(indictments, judgments))
    for article in dict.fromkeys(article for _, article in decided):
        names = [name for (name, of), _ in decided.items() if of == article and (name, of) not in charged]
        if names:
            causes = [decided[name, article] for name in names] + indictments
            yield _charge(article, names, causes, charged_only=False, events=(indictments, judgments))


def _pairs(events: list[ChainEvent], suspects: Suspects) -> dict[tuple[str, str], ChainEvent]:
    found: dict[tuple[str, str], ChainEvent] = {}
    for event in events:
        for person, article in charges_of(event, suspects):
            found.setdefault((person.name, article), event)
    return found


def _charge(
    article: str,
    names: list[str],
    causes: list[ChainEvent],
    *,
    charged_only: bool,
    events: tuple[list[ChainEvent], list[ChainEvent]],
) -> Finding:
    indictments, judgments = events
    who_zh, who_en = "、".join(names), ", ".join(names)
    charged = names if charged_only else []
    decided = [] if charged_only else names
    because = (
        Sentence(
            f"起诉书指控{who_zh}第{article}条,判决中没有对应的结果",
            f"the indictment charges {who_en} under article {article}, but no judgment decides it",
        )
        if charged_only
        else Sentence(
            f"判决就第{article}条对{who_zh}作出认定,起诉书中没有对应的指控",
            f"a judgment decides article {article} for {who_en}, but no indictment charges it",
        )
    )
    return finding(
        "R39",
        chain=causes[0].chain,
        subject=f"{article}\n{'charged' if charged_only else 'decided'}\n" + "\n".join(names),
        causes=causes,
        severity="medium",
        accounts=[
            account(indictments[-1], {"article": article, "charged": charged}),
            account(judgments[-1], {"article": article, "decided": decided}),
        ],
        because=because,
    )


def _missing_zh(who: str, names: list[str]) -> str:
    return f"{agency(who).zh}未列{'、'.join(names)};" if names else ""


def _missing_en(who: str, names: list[str]) -> str:
    return f"{agency(who).en} does not list {', '.join(names)}; " if names else ""


def _zh(stated: Stated) -> str:
    return agency(stated.agency).zh


def _en(stated: Stated) -> str:
    return agency(stated.agency).en
