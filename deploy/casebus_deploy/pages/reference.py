"""The page docs/reference.md: event types, authority, topics and access rules, from their files."""

from collections.abc import Iterator

from casebus_schemas.agencies import BUS, MEMBERS, Members
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.event_types import EventType
from casebus_schemas.catalogue.quotas import KEYS, quotas
from casebus_schemas.catalogue.topology import acls, topics
from casebus_schemas.law import met_by, opened_by
from casebus_schemas.texts.symbols import STATUSES, word
from casebus_schemas.texts.symbols import agency as called

_INTRODUCTION = """\
Generated from `agencies.yaml`, `events.yaml`, `law/clocks`, `services.yaml` and `topics/*.yaml`:
change those, then run `python -m casebus_deploy.pages.generated`.
Fields are in [events.md](events.md), who says what to whom in [event-flow.md](event-flow.md), all of it for
programs in [asyncapi.json](asyncapi.json) (AsyncAPI 3.1).
"""

_OF = {"listed": "what it lists", "case": "what it lists, else all of the case"}


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
            ", ".join(clock.id for clock in opened_by(name)),
            ", ".join(clock.id for clock in met_by(name)),
        )
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield from _meanings(catalog)
    yield from _members(catalog.members)
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
    yield ""
    yield "## Quotas"
    yield ""
    yield "Kafka delays the answers to a login that asks one broker for more; services have none."
    yield ""
    yield f"| principal | {' | '.join(f'`{key}`' for key in KEYS)} |"
    yield f"|---|{'---:|' * len(KEYS)}"
    for principal, limits in quotas().items():
        yield f"| {principal} | {' | '.join(f'{limits[key]:,}' for key in KEYS)} |"


def _meanings(catalog: Catalog) -> Iterator[str]:
    yield "## What a type means for a case"
    yield ""
    yield "Types that bring a case nowhere, are corrected by none and are not counted are left out."
    yield ""
    yield "| type | brings to | of | lists the suspects | corrected by | counted as |"
    yield "|---|---|---|---|---|---|"
    for name, entry in catalog.types.items():
        if entry.brings_to or entry.corrected_by or entry.statistics:
            state = entry.brings_to
            cells = (
                f"`{name}`",
                _brought(entry) if state else "",
                _OF[entry.about] if state else "",
                "yes" if entry.lists_suspects else "",
                f"`{entry.corrected_by}`" if entry.corrected_by else "",
                ", ".join(entry.statistics),
            )
            yield "| " + " | ".join(cells) + " |"
    yield ""


def _brought(entry: EventType) -> str:
    """The state that a type brings, and those that it brings by a field."""
    plain = f"`{entry.brings_to}` {word(STATUSES, entry.brings_to or '').zh}"
    if entry.brings_by is None:
        return plain
    field, states = entry.brings_by
    by = [f"`{state}` {word(STATUSES, state).zh} (`{field}` {value})" for value, state in states.items()]
    return ", ".join((plain, *by))


def _members(members: Members) -> Iterator[str]:
    yield "## Members"
    yield ""
    yield "| agency | 中文 | name | part | roles |"
    yield "|---|---|---|---|---|"
    for member in members.listed:
        cells = (f"`{member.id}`", member.name.zh, member.name.en, member.part, ", ".join(member.roles))
        yield "| " + " | ".join(cells) + " |"
    yield ""
