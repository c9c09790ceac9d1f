"""Who hears of a finding or a duty, and what of it is shown to whom: nothing from an event not told of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from casebus_schemas.case.chain import ChainEvent, highest
from casebus_schemas.case.duty_said import Duty
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import Agency

from .finding import Account, Apart, Finding, Severity
from .word import ASSIGNED, Word


def home(address: str) -> str:
    """The agency of an address such as `spp/criminal-desk`."""
    return address.partition("/")[0]


def told_of_all(events: Iterable[ChainEvent], accounts: Iterable[Account] = ()) -> frozenset[str]:
    """Who may see what all of these events and accounts say."""
    audiences = [event.audience for event in events]
    audiences.extend(account.told for account in accounts if account.event is not None)
    return frozenset[str].intersection(*audiences) if audiences else frozenset()


def apart_of(
    untold: Iterable[Agency],
    events: Sequence[ChainEvent],
    title: Sentence,
    severity: Severity,
    because: Sentence | None,
) -> Apart | None:
    """What those hear whom a finding concerns, but who were not told of all its events.

    An agency hears that another account differs from its own only if the other came later: what it says
    itself, were it a guess, gets no answer. Where the rule gives `because` itself, all concerned hear that.
    """
    left = list(untold)
    if because is None:
        left = [agency for agency in left if _was_told_later(agency, events)]
        because = Sentence(
            f"{title.zh}:贵机关的陈述与另一机关的陈述不一致,该陈述未告知贵机关",
            f"{title.en}: your account differs from an account of another agency that you were not told of",
        )
    return Apart(tuple(left), because, severity) if left else None


def _was_told_later(agency: str, events: Iterable[ChainEvent]) -> bool:
    agency = home(agency)
    own, unseen = [], []
    for event in events:
        if event.agency == agency:
            own.append(event.last_said_at)
        elif agency not in event.audience:
            unseen.append(event.last_said_at)
    return bool(own and unseen) and max(own) < max(unseen)


def hearers(finding: Finding) -> tuple[Agency, ...]:
    """The agencies that hear of it, in a fixed order."""
    apart = finding.apart.agencies if finding.apart else ()
    return tuple(name for name in finding.concerned() if home(name) in finding.told or name in apart)


def seen_by(agency: str, finding: Finding) -> Finding | None:
    """The finding as an agency may see it: whole, its own account alone, or not at all."""
    agency = home(agency)
    if agency in finding.told:
        return _with_words(agency, finding)
    apart = finding.apart
    if apart is None or agency not in map(home, apart.agencies):
        return None
    shown = [one for account in finding.accounts if (one := _account_for(agency, account)) is not None]
    return replace(
        _with_words(agency, finding),
        severity=apart.severity,
        accounts=tuple(shown),
        law=(),
        because=apart.because,
        suggestion=None,
    )


def _account_for(agency: str, account: Account) -> Account | None:
    own = agency == home(account.agency)
    if not own and (agency not in account.told or account.event is None):
        return None
    if account.compared and isinstance(account.value, Mapping):
        value = {name: given for name, given in account.value.items() if name not in account.compared}
        return replace(account, value=value)
    return account


def spoken(finding: Finding, words: Iterable[Word]) -> Finding:
    """The finding with what was said to it, after it opened, by those who hear of it.

    It is accepted once all of them accept it, and they are more than one: nobody closes his own fault; closed
    if one of them settles it and all others accept or settle it. Whoever opens it again later has it open.
    """
    heard = {home(name) for name in hearers(finding)}
    counted = [word for word in words if word.agency in heard and word.at >= finding.opened_at]
    if not counted:
        return finding
    counted.sort(key=lambda word: (word.at, word.agency))
    state = finding.state
    if state == "open":
        answers = [word for word in counted if word.said != ASSIGNED]
        accept = {word.agency for word in answers if word.said in ("accepted", "settled")}
        if accept == heard and len(heard) > 1:
            state = "closed" if any(word.said == "settled" for word in answers) else "accepted"
        elif answers and answers[-1].said != "reopened" and len(accept) < len(answers):
            state = "explained"
    return replace(finding, state=state, words=tuple(counted))


def _with_words(agency: str, finding: Finding) -> Finding:
    """Who spoke is shown to all concerned, what was said to those who were told of the word."""
    words = tuple(word.seen_by(agency) for word in finding.words)
    return replace(finding, words=words) if words != finding.words else finding


def shown_to(agency: str, duty: Duty) -> Duty | None:
    """The duty as an agency may see it: not at all unless it was told of the event that started it."""
    agency = home(agency)
    if agency not in duty.told:
        return None
    return duty if agency in duty.answer_told else replace(duty, met=None)


def handling_of(events: Iterable[ChainEvent]) -> str:
    """The highest level of what events say."""
    return highest(event.handling for event in events)


def public(body: Mapping[str, Any]) -> dict[str, Any]:
    """A row's JSON without what only the bus's own tables hold."""
    return {name: value for name, value in body.items() if name != "sight"}
