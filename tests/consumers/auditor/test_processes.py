"""Signatures verified in several processes: the same answers, whatever becomes of the processes."""

import os
import signal

import pytest

from casebus_consumers.auditor import processes
from casebus_consumers.auditor.processes import Verifiers
from casebus_schemas.evidence.bundle_check import Signature
from casebus_schemas.wire.signing import SigningKey, parse_block

KEY = SigningKey(bytes(32))


def signatures(count: int) -> tuple[list[Signature], list[bool]]:
    """Signatures of which every third is of another message, and what they are."""
    found, right = [], []
    for number in range(count):
        message = number.to_bytes(4, "big")
        right.append(number % 3 != 0)
        signed = KEY.sign(message if right[-1] else b"another")
        found.append(Signature(str(number), KEY.public, parse_block(signed), message))
    return found, right


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes for a bundle of any size."""
    monkeypatch.setattr(processes, "WORTH_PROCESSES", 0)
    monkeypatch.setattr(processes, "processors", lambda: 2)


def test_answers_in_order(two: None) -> None:
    """Each signature has its own answer, in the order in which they were given."""
    given, right = signatures(60)
    with Verifiers(10) as verifiers:
        answers = [verifiers(given[at : at + 7]) for at in range(0, 60, 7)]
        assert [one for run in answers for one in run] == right
        assert verifiers._pool is not None


@pytest.mark.parametrize("kept", [True, False])
def test_few_signatures_start_nothing(monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    """For a small bundle, or with one processor, everything is done here."""
    monkeypatch.setattr(processes, "processors", lambda: 2 if kept else 1)
    monkeypatch.setattr(processes, "WORTH_PROCESSES", 11 if kept else 0)
    given, right = signatures(9)
    with Verifiers(10) as verifiers:
        assert list(verifiers(given)) == right
        assert verifiers._pool is None


def test_processes_that_are_killed(two: None) -> None:
    """If the processes end, what they had not answered is verified here."""
    given, right = signatures(30)
    with Verifiers(10) as verifiers:
        assert list(verifiers(given)) == right
        assert verifiers._pool is not None
        for process in list(verifiers._pool._processes):
            os.kill(process, signal.SIGKILL)
        answers = [verifiers(given) for _ in range(20)]
        assert [list(one) for one in answers] == [right] * 20


def test_where_no_process_can_be_started(two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that gives no processes has the same answers."""

    def refuse(*_: object) -> None:
        raise OSError("no semaphores here")

    monkeypatch.setattr(processes, "ProcessPoolExecutor", refuse)
    given, right = signatures(9)
    with Verifiers(10) as verifiers:
        assert list(verifiers(given)) == right
        assert list(verifiers(given)) == right
