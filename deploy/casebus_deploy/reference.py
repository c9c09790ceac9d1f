"""Writes docs/reference.md: event types, authority, topics and access rules, from the files that define them.

`python -m casebus_deploy.reference` writes it; with `--check` it only says whether it is in step.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from casebus_schemas.agencies import BUS, MEMBERS, NAMES
from casebus_schemas.catalog import Catalog
from casebus_schemas.topology import acls, topics

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference.md"


def reference() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    catalog = Catalog.load()
    yield "# Reference: event types, authority, topics"
    yield ""
    yield "Generated from `events.yaml` and `topics/*.yaml`: change those, then run"
    yield "`python -m casebus_deploy.reference`."
    yield ""
    yield "## Event types"
    yield ""
    yield "| type | 中文 | meaning | channel | who may say it | answers | by law also to | starts | meets |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, entry in catalog.types.items():
        cells = (
            f"`{name}`",
            entry.title_zh,
            entry.title_en,
            entry.channel,
            ", ".join(sorted(entry.speakers)),
            ", ".join(f"`{answer}`" for answer in entry.answers),
            ", ".join(entry.by_law),
            ", ".join(entry.opens),
            ", ".join(entry.closes),
        )
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield "## Authority matrix"
    yield ""
    speakers = (*MEMBERS, BUS)
    yield "| type | " + " | ".join(f"{who} {NAMES[who][0]}" for who in speakers) + " |"
    yield "|---|" + "---|" * len(speakers)
    for name, entry in catalog.types.items():
        yield f"| `{name}` | " + " | ".join("x" if who in entry.speakers else "" for who in speakers) + " |"
    yield ""
    yield "## Topics"
    yield ""
    yield "Partitions for N = 4, as in the embedded broker."
    yield ""
    yield "| topic | partitions | ledgered | written by | read by | content |"
    yield "|---|---|---|---|---|---|"
    for spec in topics():
        ledgered = "yes" if spec.ledgered else ""
        written, read = ", ".join(spec.written_by), ", ".join(spec.read_by)
        yield f"| `{spec.name}` | {spec.partitions} | {ledgered} | {written} | {read} | {spec.content} |"
    yield ""
    yield "## Access rules"
    yield ""
    yield "What is not listed is denied."
    yield ""
    yield "| principal | may | what |"
    yield "|---|---|---|"
    for rule in acls():
        star = "*" if rule.pattern == "PREFIXED" else ""
        yield f"| {rule.principal} | {rule.operation} | {rule.resource_type.lower()} `{rule.name}{star}` |"


def main() -> int:
    """Writes or checks the page; 1 if it is not in step."""
    wanted = reference()
    if "--check" in sys.argv:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{PAGE.name} is not in step: run python -m casebus_deploy.reference", file=sys.stderr)
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
