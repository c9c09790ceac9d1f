"""Parts of one verification, given to processes that read the same state of the ledger."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from casebus_schemas.errors import BusError
from casebus_services.ledger.ledger_database import Database, open_database
from casebus_services.ledger.ledger_tables import POSTGRES

from .damage import VerifyReport
from .ledger_rows import LedgerRows, reading

Part = Callable[[LedgerRows, VerifyReport, Callable[[int], None]], None]
"""A part of the work: it reads, adds to the report, and tells how much more it has done. Can be pickled."""

_TRIES = 20
_START_S = 60


class NoHelp(Exception):
    """The processes cannot read the same state, or one of them ended: the work is to be done here."""


@contextmanager
def helpers(database: Database, rows: LedgerRows, count: int) -> Iterator["Helpers"]:
    """So many processes that see what `rows` sees. Raises NoHelp; they end with the block."""
    postgres = database.dialect == POSTGRES
    context = multiprocessing.get_context("spawn")  # a connection must not be carried into another process
    with ExitStack() as stack:
        pipes: list[Connection] = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            stack.callback(ours.close)
            process = context.Process(target=_help, args=(database.address, theirs), daemon=True)
            process.start()
            stack.callback(_end, process)
            theirs.close()
            pipes.append(ours)
        state = rows.export() if postgres else rows.lengths()
        try:
            for _ in range(_TRIES):
                for pipe in pipes:
                    pipe.send(("look", state if postgres else None))
                seen = [_answer(pipe) for pipe in pipes]
                if postgres or set(seen) == {state}:
                    break
                # Somebody wrote between two beginnings: all begin again, this process too.
                rows.again()
                state = rows.lengths()
            else:
                raise NoHelp("the ledger is written too often")
            yield Helpers(pipes)
            for pipe in pipes:
                pipe.send(("end", None))
        except (OSError, EOFError) as error:
            raise NoHelp(f"a process ended: {type(error).__name__}") from error


class Helpers:
    """Processes that wait for work."""

    def __init__(self, pipes: Sequence[Connection]) -> None:
        self._pipes = pipes

    def do(self, parts: Sequence[Part], progress: Callable[[int, int], None]) -> list[VerifyReport]:
        """The report on each part; the first begin first. `progress` hears a part's number and how much more.

        Raises NoHelp if one cannot be done.
        """
        reports: dict[int, VerifyReport] = {}
        waiting = iter(enumerate(parts))
        busy = [pipe for pipe in self._pipes if self._give(pipe, waiting)]
        while busy:
            for pipe in wait(busy):
                assert isinstance(pipe, Connection)
                what, number, given = pipe.recv()
                if what == "failed":
                    raise NoHelp(given)
                if what == "more":
                    progress(number, given)
                    continue
                reports[number] = given
                if not self._give(pipe, waiting):
                    busy.remove(pipe)
        return [reports[number] for number in range(len(parts))]

    def _give(self, pipe: Connection, waiting: Iterator[tuple[int, Part]]) -> bool:
        part = next(waiting, None)
        if part is not None:
            pipe.send(("do", part))
        return part is not None


def _answer(pipe: Connection) -> Any:
    if not pipe.poll(_START_S):
        raise NoHelp("a process did not begin")
    what, _, given = pipe.recv()
    if what == "failed":
        raise NoHelp(given)
    return given


def _end(process: BaseProcess) -> None:
    process.terminate()
    process.join()


def _help(address: str, pipe: Connection) -> None:
    """What a process does until it is told to end, or its parent has ended."""
    with suppress(EOFError, OSError):
        try:
            _serve(address, pipe)
        except BusError as error:
            pipe.send(("failed", 0, str(error)))


def _serve(address: str, pipe: Connection) -> None:
    database = open_database(address, read_only=True)
    what, given = pipe.recv()
    while what == "look":
        with reading(database, given) as connection:
            rows = LedgerRows(connection)
            pipe.send(("seen", 0, None if given is not None else rows.lengths()))
            what, given = pipe.recv()
            while what == "do":
                number, part = given
                report = VerifyReport()
                part(rows, report, _teller(pipe, number))
                pipe.send(("done", number, report))
                what, given = pipe.recv()


def _teller(pipe: Connection, number: int) -> Callable[[int], None]:
    return lambda more: pipe.send(("more", number, more))
