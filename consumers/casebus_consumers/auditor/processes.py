"""Signatures verified on all processors: in processes of their own once there are enough of them."""

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Self

from casebus_schemas.evidence.bundle_check import Signature, one_by_one
from casebus_schemas.wire.signing import SignatureBlock, verify

WORTH_PROCESSES = 2_000_000
"""Bytes of a bundle from which on processes are started: some 2,000 signatures, or 0.1 seconds."""

_Equation = tuple[tuple[int, bytes, bytes], bytes, bytes]
"""Algorithm, key id and signature; message; public key."""


class Verifiers:
    """A `VerifyAll` that uses every processor. To be used in a `with` block; answers must be asked for in it.

    `size` is that of the bundle in bytes. Processes begin with the block, before the bundle is read: what is
    forked later has all of it copied, page by page, as the first process goes on.
    """

    def __init__(self, size: int) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._wanted = processors() > 1 and size >= WORTH_PROCESSES

    def __enter__(self) -> Self:
        if self._wanted:
            try:
                self._pool = ProcessPoolExecutor(processors(), _context())
                self._pool.submit(_hold, [])
            except (OSError, BrokenProcessPool):  # no room for processes: then here
                self._pool = None
        return self

    def __exit__(self, *_error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def __call__(self, signatures: Sequence[Signature]) -> Iterable[bool]:
        """The answers; the processes begin at once, and without them it waits until it is asked."""
        if self._pool is None:
            return one_by_one(signatures)
        blocks = [(one.block.alg, one.block.key_id, one.block.signature) for one in signatures]
        messages = [(one.message, one.public) for one in signatures]
        run = [(block, *rest) for block, rest in zip(blocks, messages, strict=True)]
        try:
            answers = self._pool.submit(_hold, run)
        except BrokenProcessPool:
            return one_by_one(signatures)
        return _answered(answers, signatures)


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _context() -> "multiprocessing.context.BaseContext":
    # A fork begins at once; where there is none Python is started anew.
    return multiprocessing.get_context(
        "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    )


def _hold(run: Sequence[_Equation]) -> list[bool]:
    return [verify(SignatureBlock(*block), message, public) for block, message, public in run]


def _answered(answers: "Future[list[bool]]", signatures: Sequence[Signature]) -> Iterator[bool]:
    try:
        yield from answers.result()
    except BrokenProcessPool:  # somebody ended the process
        yield from one_by_one(signatures)
