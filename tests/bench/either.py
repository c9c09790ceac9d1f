"""Modules that the earlier build has under another name: for scripts that run under both."""

import importlib
from importlib.util import find_spec
from typing import Any


def either(*names: str) -> Any:
    """The first of these modules that this build has."""
    for name in names:
        try:
            if find_spec(name) is not None:
                return importlib.import_module(name)
        except ModuleNotFoundError:  # its package is not there either
            continue
    raise ModuleNotFoundError(f"none of {', '.join(names)}")
