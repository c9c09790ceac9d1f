"""Plays a script of scenarios over a running bus: sets the clock, lets agencies speak, hears who is told."""

import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol
from uuid import UUID

from casebus_producers.outbox.outbox_events import Queued
from casebus_schemas.errors import RetryLater

from .players import Desks, HeardForgery, HeardNotice, HeardReceipt
from .scenario import Context, Passing, Step
from .script import Script

ANSWER_TIMEOUT_S = 60.0
"""How long a slow machine may take from publishing to the last notice of a step."""


@dataclass(slots=True)
class Spoken:
    """A step as it went: what was queued when, and what became of it. Times are real milliseconds."""

    step: Step
    queued: Queued
    queued_at_ms: int
    admitted: dict[str, Any] | None = None
    refused: dict[str, Any] | None = None
    ledgered: dict[str, Any] | None = None
    notices: list[HeardNotice] = field(default_factory=list)

    @property
    def delivered(self) -> bool:
        """Whether the bus has answered and every notice that it promised has arrived."""
        if self.refused is not None:
            return True
        return self.admitted is not None and len(self.notices) >= len(self.admitted["notices"])

    def waits_ms(self) -> list[int]:
        """Milliseconds from being queued to the arrival of each notice that the bus promised."""
        promised = len(self.admitted["notices"]) if self.admitted else 0
        return [notice.at_ms - self.queued_at_ms for notice in self.notices[:promised]]


class Screen(Protocol):
    """Whoever shows what happens."""

    def day(self, at: datetime) -> None:
        """The bus's clock was set to this time."""

    def context(self, line: Context) -> None:
        """What somebody outside the bus did."""

    def passing(self, line: Passing) -> None:
        """Time went by and nobody spoke."""

    def step(self, spoken: Spoken) -> None:
        """An agency said something and those who must know were told."""

    def skipped(self, step: Step, why: str) -> None:
        """A step that cannot be said."""

    def of_bus(self, notice: HeardNotice) -> None:
        """The bus told an agency of an obligation or a finding."""


class Player:
    """Plays a script once.

    `set_clock` returns when the command is acknowledged: nothing said after it is admitted earlier. `settle`
    waits until steps are in the accounts, so that a clock which one step starts and the next one meets is
    seen running; `pass_time` until a time of the clock has had its effect on all terms.
    """

    def __init__(
        self,
        script: Script,
        desks: Desks,
        screen: Screen,
        set_clock: Callable[[datetime], None],
        settle: Callable[[Sequence[Spoken]], None],
        pass_time: Callable[[datetime], None],
        pause_s: float,
    ) -> None:
        self.spoken: list[Spoken] = []
        self.of_bus: list[HeardNotice] = []
        self._script = script
        self._desks = desks
        self._screen = screen
        self._set_clock = set_clock
        self._settle = settle
        self._pass_time = pass_time
        self._pause_s = pause_s
        self._by_id: dict[str, Spoken] = {}
        self.strays: list[HeardNotice] = []
        self.forged: list[HeardForgery] = []

    def play(self) -> None:
        """Says every step in its time. Raises RetryLater if the bus does not answer."""
        for at, lines in groupby(self._script.lines(), key=lambda line: line.at):
            group = list(lines)
            steps = [line for line in group if isinstance(line, Step) and not self._skip(line)]
            passings = [line for line in group if isinstance(line, Passing)]
            if steps or passings:
                self._set_clock(at)
                self._screen.day(at)
            for line in group:
                if isinstance(line, Context):
                    self._screen.context(line)
            for passing in passings:
                self._screen.passing(passing)
            if passings:
                self._pass_time(at)
            if steps:
                self._say(steps)
            if steps or passings:
                self.drain()
                self.listen(self._pause_s)

    def wait_until_ledgered(self) -> None:
        """Waits until every admitted step has its receipt of the ledger."""
        self._hear_until(
            lambda: all(s.ledgered or s.refused for s in self.spoken), "receipts that steps are ledgered"
        )

    def listen(self, seconds: float) -> None:
        """Takes in what is heard for a while: what the bus says comes in its own time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._hear(left)

    def drain(self) -> int:
        """Takes in what has been heard already; returns how much."""
        count = 0
        while self._hear(0.0):
            count += 1
        return count

    def _skip(self, step: Step) -> bool:
        why = self._script.skipped.get((step.scenario, step.label))
        if why is not None:
            self._screen.skipped(step, why)
        return why is not None

    def _say(self, steps: list[Step]) -> None:
        group = []
        for step in steps:
            event = self._script.event(step)
            if step.sealed is not None:
                event["data"]["sealed"] = deepcopy(dict(step.sealed))
            begun = time.time_ns() // 1_000_000
            queued = self._desks.say(step.agency, event)
            self._script.publish(step, UUID(queued.chain), queued.digest)
            spoken = Spoken(step, queued, begun)
            self._by_id[str(queued.id)] = spoken
            self.spoken.append(spoken)
            group.append(spoken)
        self._hear_until(lambda: all(spoken.delivered for spoken in group), "admission and notices")
        for spoken in group:
            self._screen.step(spoken)
        self._settle(group)

    def _hear_until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while not done():
            if time.monotonic() > deadline:
                raise RetryLater(
                    f"the bus did not answer within {ANSWER_TIMEOUT_S:.0f} s",
                    found=", ".join(self._unanswered()) or "nothing",
                    expected=what,
                    remedy="see the services' logs",
                )
            self._hear(0.2)

    def _unanswered(self) -> Iterator[str]:
        for spoken in self.spoken:
            if not spoken.delivered:
                yield f"{spoken.step.message_no} not delivered"
            elif spoken.ledgered is None:
                yield f"{spoken.step.message_no} not ledgered"

    def _hear(self, timeout_s: float) -> bool:
        heard = self._desks.next_heard(timeout_s)
        if heard is None:
            return False
        if isinstance(heard, HeardReceipt):
            self._note(heard)
        elif isinstance(heard, HeardForgery):
            self.forged.append(heard)
        elif heard.of_bus:
            self.of_bus.append(heard)
            self._screen.of_bus(heard)
        else:
            spoken = self._by_id.get(str(heard.record.headers.id))
            if spoken is None:
                self.strays.append(heard)
            else:
                spoken.notices.append(heard)
        return True

    def _note(self, receipt: HeardReceipt) -> None:
        spoken = self._by_id.get(receipt.event)
        if spoken is None:
            return
        stage = receipt.body["stage"]
        if stage == "admitted":
            spoken.admitted = receipt.body
        elif stage == "refused":
            spoken.refused = receipt.body
        elif stage == "ledgered":
            spoken.ledgered = receipt.body
