"""The page docs/reference.md: event types, authority, topics and access rules, from their files."""

from collections.abc import Iterator

from casebus_schemas.agencies import BUS, MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import acls, topics
from casebus_schemas.texts.symbols import agency as called

_INTRODUCTION = """\
Generated from `events.yaml` and `topics/*.yaml`: change those, then run
`python -m casebus_deploy.pages.generated`.
Fields are in [events.md](events.md), who says what to whom in [event-flow.md](event-flow.md), all of it for
programs in [asyncapi.json](asyncapi.json) (AsyncAPI 3.1).
"""


def reference() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    catalog = Catalog.load()
    yield "# Reference: event types, authority, topics"
    yield ""
    yield _INTRODUCTION
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
    yield "| type | " + " | ".join(f"{who} {called(who).zh}" for who in speakers) + " |"
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
