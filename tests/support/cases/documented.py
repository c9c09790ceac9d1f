"""Programs and command lines as a document of docs/ states them."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"
_BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)```\n", re.DOTALL)


def files_of(document: str) -> dict[str, str]:
    """Blocks that are marked as files, by name."""
    return {m["file"]: m["text"] for m in _blocks(document) if m["file"]}


def blocks_of(document: str, kind: str) -> list[str]:
    """Blocks of one language, in order."""
    return [m["text"] for m in _blocks(document) if m["kind"] == kind]


def _blocks(document: str) -> list[re.Match[str]]:
    return list(_BLOCK.finditer((DOCS / document).read_text(encoding="utf-8")))
