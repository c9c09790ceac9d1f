"""A duty that is late as the rules about time tell it: by claim, by proof, since when, in whose accounts."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law import Sentence
from casebus_schemas.law.duty_state import last_day_of
from casebus_schemas.small_types import Agency
from casebus_schemas.texts.symbols import agency
from casebus_schemas.times import beijing_text, in_beijing
from casebus_schemas.wire.uuids import uuid_text

from .finding import Account, Suggestion, account
from .rule import Found
from .wording import claimed_and_admitted, creditors_of, until_published, unverified


def late_duties(
    duties: Sequence[Obligation], found_by: str, now: datetime
) -> Iterator[tuple[Obligation, bool]]:
    """Each duty of the clocks that a rule speaks of which is late, and whether by claim or by proof only."""
    for duty in duties:
        if duty.clock.found_by != found_by:
            continue
        late = {state(now) == "overdue" for state in (duty.claimed_state, duty.proven_state)}
        if True in late:
            yield duty, len(late) > 1


def late(
    duty: Obligation, because: Sentence, suggestion: Suggestion | None = None, *, contested: bool
) -> Found:
    """What is found of a late duty: its start and its answer side by side, under the law of its clock.

    `because` is said where nobody contests it; whoever owes is asked for the answer where nothing else is
    suggested.
    """
    answered, owed_by = duty.met_by, Agency(duty.owed_by)
    return Found(
        subject=uuid_text(duty.id),
        causes=[duty.cause],
        accounts=[
            account(duty.cause, {"started_at": beijing_text(duty.started_at)}),
            _answer(owed_by, answered, contested=contested),
        ],
        law=duty.version.source,
        because=_with(_contested(duty) if contested else because, unverified(duty)),
        suggestion=None if answered else suggestion or Suggestion(duty.clock.duty[0], owed_by),
        opened_at=_opened_at(duty, contested=contested),
        uses=[answered] if answered else (),
        beside=creditors_of(duty),
        contested=contested,
    )


def _with(said: Sentence, more: Sentence) -> Sentence:
    return Sentence(said.zh + more.zh, said.en + more.en)


def so_far(duty: Obligation) -> Sentence:
    """The end of a sentence about a late duty: whether it was met since, and what is provisional in it."""
    waits = until_published(duty, duty.steps[duty.rung])
    given = duty.met_by
    if given is None:
        return Sentence(f",至今未作出{waits.zh}", f"; it has not been given{waits.en}")
    day = in_beijing(given.occurred_at).date().isoformat()
    return Sentence(f",至{day}方作出{waits.zh}", f"; it was given on {day}{waits.en}")


def last_day(duty: Obligation) -> str:
    """The last day of the longest reading of the rung in force."""
    return str(last_day_of(duty.steps[duty.rung].due_latest))


def _opened_at(duty: Obligation, *, contested: bool) -> datetime:
    over_at = min(steps[duty.rung].over_at for steps in (duty.steps, duty.proven_steps))
    end = duty.met_by or duty.moot_by
    return max(over_at, end.admitted_at) if contested and end else over_at


def _answer(owed_by: Agency, answered: ChainEvent | None, *, contested: bool) -> Account:
    if answered is None:
        return Account(owed_by, {"answered_at": None}, None)
    value = {"answered_at": beijing_text(answered.occurred_at)}
    if contested:
        value["admitted_at"] = beijing_text(answered.admitted_at)
    return account(answered, value)


def _contested(duty: Obligation) -> Sentence:
    who, times, last = agency(duty.owed_by), claimed_and_admitted(duty), last_day(duty)
    return Sentence(
        f"{who.zh}应于{last}前{duty.clock.title.zh}({duty.clock.id}),有争议:{times.zh}",
        f"{who.en} had to {duty.clock.title.en} ({duty.clock.id}) by {last}; contested: {times.en}",
    )
