"""The player over stand-ins of bus and agencies: its order, its waiting, what it says in vain."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from casebus_deploy.demo import play
from casebus_deploy.demo.play import Player, Spoken
from casebus_deploy.demo.players import Heard, HeardNotice, HeardReceipt
from casebus_deploy.demo.scenario import load
from casebus_deploy.demo.script import Script
from casebus_producers.outbox.outbox_events import Queued
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater

CHAIN = "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44"


class StandIn:
    """Desks that admit and deliver at once what they are told to say, and note everything in order."""

    def __init__(self, *, deliver: bool = True, refuse: bool = False) -> None:
        self.noted: list[str] = []
        self.events: list[dict[str, Any]] = []
        self._deliver = deliver
        self._refuse = refuse
        self._heard: deque[Heard] = deque()

    def say(self, agency: str, event: dict[str, Any]) -> Queued:
        number = event["data"]["envelope"]["message_no"]
        self.noted.append(number)
        self.events.append(event)
        id_ = UUID(int=len(self.events))
        digest = len(self.events).to_bytes(32)
        self._answer(agency, id_)
        return Queued(1, id_, event["type"], CHAIN, digest, f"{agency}.referral", 0, 0, None, 0, 0)

    def next_heard(self, _timeout_s: float) -> Heard | None:
        return self._heard.popleft() if self._heard else None

    def _answer(self, agency: str, id_: UUID) -> None:
        event = {"id": str(id_)}
        if self._refuse:
            body: dict[str, Any] = {"stage": "refused", "event": event, "code": "bad-body", "detail": "x"}
            self._heard.append(HeardReceipt(agency, body, 0))
            return
        self._heard.append(HeardReceipt(agency, {"stage": "admitted", "event": event, "notices": [1]}, 0))
        self._heard.append(HeardReceipt(agency, {"stage": "ledgered", "event": event}, 0))
        if self._deliver:
            headers = SimpleNamespace(id=id_, source="/csrc")
            self._heard.append(HeardNotice("mps", cast(Any, SimpleNamespace(headers=headers)), {}, 0))


class Quiet:
    """A screen that notes in which order it was told."""

    def __init__(self, noted: list[str]) -> None:
        self._noted = noted

    def day(self, at: datetime) -> None:
        self._noted.append(f"day {at:%Y-%m-%d}")

    def context(self, line: Any) -> None:
        self._noted.append("context")

    def passing(self, line: Any) -> None:
        self._noted.append("passing")

    def step(self, spoken: Spoken) -> None:
        self._noted.append(f"shown {spoken.step.label}")

    def skipped(self, step: Any, why: str) -> None:
        self._noted.append("skipped")

    def of_bus(self, notice: HeardNotice) -> None:
        self._noted.append("of bus")


def player(desks: StandIn, name: str = "jiang-liu.late") -> Player:
    def set_clock(at: datetime) -> None:
        desks.noted.append(f"clock {at:%Y-%m-%d}")

    def settle(group: Sequence[Spoken]) -> None:
        desks.noted.append(f"settled {len(group)}")

    def pass_time(at: datetime) -> None:
        desks.noted.append(f"passed {at:%Y-%m-%d}")

    script = Script([load(name)], Catalog.load())
    return Player(script, cast(Any, desks), Quiet(desks.noted), set_clock, settle, pass_time, 0.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A player that waits only a moment."""
    monkeypatch.setattr(play, "ANSWER_TIMEOUT_S", 0.05)


def test_the_clock_is_set_before_anybody_speaks_and_all_is_settled_before_it_moves_on() -> None:
    """Each time of the script: clock, words, display, accounts; where nobody speaks, only the time passes."""
    desks = StandIn()
    player(desks).play()
    assert desks.noted[:10] == [
        "clock 2016-10-18",
        "day 2016-10-18",
        "jiang-liu.late/referral",
        "shown referral",
        "settled 1",
        "clock 2016-10-19",
        "day 2016-10-19",
        "jiang-liu.late/receipted",
        "shown receipted",
        "settled 1",
    ]
    assert desks.noted[10:14] == ["clock 2016-10-24", "day 2016-10-24", "passing", "passed 2016-10-24"]


def test_answers_carry_the_chain_and_the_digest_of_what_was_published() -> None:
    """What one step was published as is what the next one points at."""
    desks = StandIn()
    player(desks).play()
    first, second = desks.events[:2]
    assert first["subject"] is None
    assert second["subject"] == CHAIN
    assert second["data"]["envelope"]["in_reply_to_hash"] == (1).to_bytes(32).hex()


@pytest.mark.usefixtures("impatient")
def test_a_refusal_ends_the_waiting() -> None:
    """A refused step is an answer: the play goes on and the refusal is kept."""
    playing = player(StandIn(refuse=True))
    playing.play()
    assert [one.refused["code"] for one in playing.spoken if one.refused] == ["bad-body"] * 4


@pytest.mark.usefixtures("impatient")
def test_a_notice_that_never_comes_is_named() -> None:
    """If the bus promises a notice and does not deliver it, the error says of which step."""
    with pytest.raises(RetryLater, match=r"jiang-liu\.late/referral not delivered"):
        player(StandIn(deliver=False)).play()


def test_every_step_gets_its_receipt_of_the_ledger() -> None:
    """Waiting for the ledger ends when each admitted step has its receipt."""
    playing = player(StandIn())
    playing.play()
    playing.wait_until_ledgered()
    assert all(one.ledgered for one in playing.spoken)
