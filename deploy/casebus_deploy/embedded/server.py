"""What embedded servers have in common: a child process that is started, asked for, and ended with us."""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self


class EmbeddedServer(ABC):
    """A server that is one child process of ours; as a context it runs from its beginning to its end."""

    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its pid, or None if it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def running(self) -> bool:
        """Whether its process is alive (it may still be starting)."""
        return self.pid is not None

    @abstractmethod
    def start(self) -> None:
        """Start it and return when it answers. Blocking, bounded; idempotent."""

    @abstractmethod
    def stop(self) -> None:
        """Ask it to end. Blocking; idempotent."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once. Blocking; idempotent."""

    def _started(self, process: subprocess.Popen[bytes], wait: Callable[[], None]) -> None:
        """Keeps a process that was just spawned once `wait` returns; if it raises nothing is left running."""
        self._process = process
        try:
            wait()
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
