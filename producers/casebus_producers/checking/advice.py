"""What a reader would ask of an event, though nothing is refused for it: each with its place. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from casebus_schemas.admission.may_say import doubtful_numbers
from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.effects import mends
from casebus_schemas.case.proof import late_claims
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.clocks import clock_table
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import beijing_text

from .odd_facts import odd_facts

OPENS = "referral.submitted"
"""The type that opens a matter: a second one in a case is another matter, or should be a correction."""
_A_DAY = timedelta(days=1)
"""Clocks of agencies differ; a day they do not."""


class Hint(NamedTuple):
    """A hint: the JSON pointer of its place in the event, and what it says."""

    pointer: str
    said: Sentence

    def to_json(self) -> dict[str, Any]:
        """As in records.md 3."""
        return {"pointer": self.pointer, "detail": self.said.en, "zh": self.said.zh}


class Known(Protocol):
    """What is known beside the event."""

    def has_id(self, id: UUID) -> bool:
        """Whether an event of this id is known."""

    def has_digest(self, digest: Digest) -> bool:
        """Whether an event of this digest is known."""

    def opened_by(self, event: ChainEvent) -> Sentence | None:
        """What opened the case that this event would open, if another one did."""


def hints(event: ChainEvent, now: datetime, known: Known) -> Iterator[Hint]:
    """All that an event's sender may want to mend before others ask."""
    if event.in_reply_to is not None and not known.has_id(event.in_reply_to):
        yield Hint(
            "/data/envelope/in_reply_to",
            Sentence(
                f"所答复的事件 {event.in_reply_to} 未给出也未知",
                f"the event that it answers, {event.in_reply_to}, is not given",
            ),
        )
    for name, zh in (("corrects", "更正"), ("withdraws", "撤回")):
        named = getattr(event, name)
        if named is not None and not known.has_digest(named):
            said = Sentence(
                f"所{zh}的事件未给出其摘要,也未知", f"the event that it {name} is not given with its digest"
            )
            yield Hint(f"/data/envelope/{name}", said)
    for pointer in doubtful_numbers({"envelope": event.envelope, **event.data}):
        said = Sentence(
            "形似居民身份证号:若是,请去掉后重发",
            "looks like an identity number; if it is one, say it anew without it",
        )
        yield Hint(pointer, said)
    if event.occurred_at - now > _A_DAY:
        at = beijing_text(event.occurred_at)
        yield Hint(
            "/time", Sentence(f"时间 {at} 尚未到来:发出后为 R07", f"a time to come, {at}: R07 once said")
        )
    for name, when in late_claims(event):
        at = beijing_text(when)
        said = Sentence(
            f"{at} 晚于陈述它的事件:发出后为 R07",
            f"{at} lies behind the event that states it: R07 once said",
        )
        yield Hint("/time" if name == "time" else f"/data/{name}", said)
    yield from _law_of_another_day(event)
    yield from (Hint(pointer, said) for pointer, said in odd_facts(event))
    if event.type == OPENS and not mends(event) and (first := known.opened_by(event)) is not None:
        yield Hint(
            "/data/envelope/local_refs",
            Sentence(
                f"{first.zh}已开启本案,这是第二件 {OPENS}:另一案件用自己的编号,同一案件用更正",
                f"a second {OPENS} in the case that {first.en} opened: a number of its own for another "
                "matter, a correction for the same",
            ),
        )


def _law_of_another_day(event: ChainEvent) -> Iterator[Hint]:
    """Each basis in law that was not in force on the day of the event."""
    day = beijing_day(event.occurred_at)
    known = clock_table().instruments
    for index, basis in enumerate(event.envelope["legal_basis"]):
        text = known.get(basis["instrument"])
        if text is None or text.holds_on(day):
            continue
        span = (f"自{text.in_force}起", f"since {text.in_force}")
        if text.until is not None:
            span = (f"{span[0]}至{text.until}前", f"from {text.in_force} and before {text.until}")
        said = Sentence(
            f"{text.title.zh}于{day}并不施行(施行期间:{span[0]})",
            f"{text.title.en} was not in force on {day}; it is {span[1]}",
        )
        yield Hint(f"/data/envelope/legal_basis/{index}", said)
