"""Makes the verifier as one script: the same source files, readable, with the standard library and PyNaCl."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from casebus_schemas.texts.field_labels import field_labels

ENTRY = "casebus_consumers.auditor.verifier"
OUTSIDE = "nacl"
"""The one package that the script needs besides the standard library."""
_LABELS = "casebus_schemas.texts.field_labels"
_OURS = ("casebus_schemas", "casebus_consumers")

_HEAD = '''#!/usr/bin/env python3
"""Verifies bundles and proofs of a casebus ledger, without casebus, database or network.

校验 casebus 账本的证据包与条目证明，无需 casebus、数据库或网络。

    python verify_casebus.py bundle FILE --policy POLICY [--genesis GENESIS]
    python verify_casebus.py proof FILE --policy POLICY [--key RECEIPT_KEY]
    python verify_casebus.py consistency FILE --since CHECKPOINT --policy POLICY

It needs Python 3.11 or later and one package, PyNaCl (libsodium), for Ed25519. The policy is yours: a file of
C2SP tlog-policy with the keys of the ledger and its witnesses, which you have from somebody else than whoever
gave you the bundle. Below stand the source files of casebus as they are; nothing else is read or written.
"""

import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder

SOURCES = {}
'''

_TAIL = '''

class Sources(MetaPathFinder, Loader):
    """Imports the modules above, and no others of their names."""

    def find_spec(self, name, path=None, target=None):
        if name in SOURCES:
            package = any(other.startswith(name + ".") for other in SOURCES)
            return importlib.util.spec_from_loader(name, self, is_package=package)
        if name.split(".")[0] in {one.split(".")[0] for one in SOURCES}:
            raise ModuleNotFoundError(f"{name} is not part of this script", name=name)
        return None

    def exec_module(self, module):
        source = SOURCES[module.__name__]
        exec(compile(source, f"<{module.__name__}>", "exec"), module.__dict__)


if __name__ in ("__main__", "__mp_main__"):  # also where it is read again for a second process
    sys.meta_path.insert(0, Sources())

if __name__ == "__main__":
    from casebus_consumers.auditor.verifier import main

    sys.exit(main(sys.argv[1:], print))
'''


def single_file() -> str:
    """The script. Equal sources give an equal script."""
    parts = [_HEAD]
    for name in sorted(_closure(ENTRY)):
        source = _labels_source() if name == _LABELS else _file(name).read_text(encoding="utf-8")
        parts.append(f"\nSOURCES[{name!r}] = {_quoted(source)}\n")
    return "".join(parts) + _TAIL


def _labels_source() -> str:
    """The labels as they are read from the schema files, which the script does not have."""
    listed = "".join(f"    {name!r}: {label!r},\n" for name, label in sorted(field_labels().items()))
    caption = '"""Chinese labels of all event types and fields."""'
    return f"{caption}\n\nLABELS = {{\n{listed}}}\n\n\ndef field_labels():\n    return LABELS\n"


def _closure(entry: str) -> set[str]:
    """Every module of ours that the entry needs, with the packages that hold them."""
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += [name.rpartition(".")[0]] if "." in name else []
        waiting += _imported(name)
    return found


def _imported(name: str) -> Iterator[str]:
    file = _file(name)
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], base]).rstrip(".")
            if base.split(".")[0] in _OURS:
                yield base
                yield from (f"{base}.{one.name}" for one in node.names if _is_module(f"{base}.{one.name}"))
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.split(".")[0] in _OURS)


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is no package
        return False


def _file(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


def _quoted(source: str) -> str:
    """A source as a literal that people can read."""
    if "'''" not in source and not source.endswith("\\\\"):
        return f"r'''{source}'''"
    return repr(source)
