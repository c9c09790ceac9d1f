"""Processes to be killed, forked from one that has imported what they need: a start takes no second."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["support.scenes.door_children"])


def forked(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A child that runs a function of `door_children` and may be killed at any moment."""
    child = _context.Process(target=target, args=arguments, daemon=True)
    child.start()
    return child
