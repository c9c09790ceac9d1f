"""Threads that queue at the same time share a transaction, and none answers for another's mistake."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Queued
from casebus_producers.outbox.writing import Writing
from casebus_schemas.errors import UsageError
from support.cases.members import open_outbox, ready

ALL = (0, 1_000_000, 1 << 30)
Work = Callable[[Writing], Queued]


class Mishap(Exception):
    """Nothing that the outbox knows."""


def queueing(number: int) -> Work:
    """The work of queuing one event, slow enough that others come meanwhile."""

    def work(writing: Writing) -> Queued:
        time.sleep(0.002)
        return writing.enqueue(ready(number, chain=number % 3))

    return work


def failing(error: Exception) -> Work:
    """Work that writes an event and then breaks."""

    def work(writing: Writing) -> Queued:
        time.sleep(0.002)
        writing.enqueue(ready(9_999))
        raise error

    return work


def in_threads(outbox: Outbox, works: list[list[Work]]) -> list[object]:
    """What each piece of work gave or raised, a thread for each list."""
    found: list[object] = []

    def run(mine: list[Work]) -> None:
        for work in mine:
            try:
                found.append(outbox.together(work))
            except (UsageError, Mishap) as error:
                found.append(error)

    threads = [threading.Thread(target=run, args=(mine,)) for mine in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_threads_share_transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads need fewer transactions than events, and their streams have no gaps."""
    outbox = open_outbox(tmp_path)
    commits: list[int] = []
    begin = outbox.database.transaction

    def counted(*, reads: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        commits.append(1)
        return begin(reads=reads)

    monkeypatch.setattr(outbox.database, "transaction", counted)
    works = [[queueing(thread * 100 + at) for at in range(10)] for thread in range(8)]
    found = in_threads(outbox, works)
    assert len({one.digest for one in found if isinstance(one, Queued)}) == 80
    # How many share one depends on when the threads run; alone each of the 80 would need its own.
    assert 0 < len(commits) <= 70
    rows = outbox.rows(one.position for one in found if isinstance(one, Queued))
    assert [row.position for row in rows] == list(range(1, 81))
    assert outbox.status().streams <= 3


def test_what_is_acknowledged_is_on_disk(tmp_path: Path) -> None:
    """When `together` returns, another opening of the file sees the event."""
    outbox, other = open_outbox(tmp_path), open_outbox(tmp_path)
    queued = outbox.together(queueing(1))
    assert [row.digest for row in other.rows([queued.position])] == [queued.digest]


def test_a_mistake_is_its_callers_alone(tmp_path: Path) -> None:
    """An event that is refused leaves those that share its transaction as they are."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(1)])

    def reused(writing: Writing) -> Queued:
        time.sleep(0.002)
        return writing.enqueue(ready(1, body=b"other"))

    found = in_threads(outbox, [[queueing(thread * 100 + 2), reused] for thread in range(6)])
    assert sum(isinstance(one, UsageError) for one in found) == 6
    assert sum(isinstance(one, Queued) for one in found) == 6
    assert outbox.status().pending == 7


def test_a_broken_transaction_is_written_again_without_what_broke_it(tmp_path: Path) -> None:
    """An unexpected error reaches its caller; all others are written, nothing of the broken work is."""
    outbox = open_outbox(tmp_path)
    works = [[queueing(thread * 100 + 2), failing(Mishap())] for thread in range(6)]
    found = in_threads(outbox, works)
    assert sum(isinstance(one, Mishap) for one in found) == 6
    assert sorted(one.id for one in found if isinstance(one, Queued)) == sorted(
        ready(thread * 100 + 2).id for thread in range(6)
    )
    assert outbox.status().pending == 6


def test_an_interrupted_thread_leaves_its_turn_to_nobody(tmp_path: Path) -> None:
    """What a thread wanted when it was interrupted is not written by the next one."""
    outbox = open_outbox(tmp_path)

    def interrupted(writing: Writing) -> Queued:
        writing.enqueue(ready(1))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.together(interrupted)
    assert outbox.together(queueing(2)).position == 1
    assert [row.position for row in outbox.pending(*ALL)] == [1]
