"""The page docs/events.md: every event type with its fields, every shared type, from the schema files."""

import json
from collections.abc import Iterator
from typing import Any

from casebus_schemas.catalogue.avro_files import event_file, shared_file, shared_files
from casebus_schemas.catalogue.catalog import RECEIPTS, Catalog, EventSchema, EventType
from casebus_schemas.catalogue.limits import MAX_CHARS, MAX_ITEMS, MOST_CHARS, MOST_ITEMS, SEVERAL_LINES
from casebus_schemas.texts.symbols import agency as called

_INTRODUCTION = """\
Generated from `events.yaml` and `avro/`: change those, then run `python -m casebus_deploy.pages.generated`.
Who may say what is in [reference.md](reference.md), who says it to whom in [event-flow.md](event-flow.md), an
example of each type in `schemas/casebus_schemas/examples`.

*pii*: `none`, `low` (as officially abbreviated), `high` (only ever sealed). A field with a default may be
left out. Every event begins with its [envelope](#envelope) and ends with `sealed`, bytes for the recipients
alone; both are left out of the tables below. In `sealed` stand personal facts: [records.md](records.md) 3.

Limits: {items} list items in one event, a text of {chars} characters (Unicode code points) unless its row
says otherwise; what exceeds one is refused as `too-large` with field, count and limit. A text is one line,
without control characters and without those that turn the direction of writing; *lines* marks those that may
have several (`\\n`, `\\t`).
""".format(items=f"{MOST_ITEMS:,}", chars=f"{MOST_CHARS:,}")
_PLAIN = {"string": "text", "boolean": "yes or no", "int": "whole number", "long": "whole number"}
_LOGICAL = {"timestamp-millis": "time", "date": "day"}


def event_page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines(Catalog.load())) + "\n"


def _lines(catalog: Catalog) -> Iterator[str]:
    yield "# Events and their fields"
    yield ""
    yield _INTRODUCTION
    family = ""
    for name, event in catalog.types.items():
        if event.family != family:
            family = event.family
            yield f"## {family}"
            yield ""
        yield from _event(event, [schema for schema in catalog.schemas() if schema.type == name])
    yield "## Shared types"
    yield ""
    for name, version in shared_files():
        yield from _shared(shared_file(name, version), version)


def _event(event: EventType, versions: list[EventSchema]) -> Iterator[str]:
    yield f"### {event.type}"
    yield ""
    newest = max(versions, key=lambda schema: schema.version)
    written = event_file(event.type, newest.version)
    speakers = ", ".join(sorted(event.speakers))
    topic = "receipt.‹agency›" if event.channel == RECEIPTS else f"‹speaker›.{event.channel}"
    yield f"{event.title_zh} · {event.title_en}. {written['doc']}"
    yield ""
    yield f"- said by {speakers} on `{topic}`"
    if event.answers:
        yield "- answers " + (
            "any event" if "*" in event.answers else ", ".join(f"`{answered}`" for answered in event.answers)
        )
    if event.by_law:
        heard = ", ".join(f"{agency} ({called(agency).zh})" for agency in event.by_law)
        yield f"- by law also to {heard}" + (f" ({', '.join(event.basis)})" if event.basis else "")
    ids = ", ".join(f"version {schema.version} = id {schema.id}" for schema in versions)
    yield f"- {ids}; `{newest.dataschema[:23]}…`"
    yield ""
    fields = [field for field in written["fields"] if field["name"] not in ("envelope", "sealed")]
    yield from _fields(fields)


def _shared(schema: dict[str, Any], version: int) -> Iterator[str]:
    short = schema["name"].removeprefix("casebus.")
    # Version 1 has the plain heading, so that links to it never move.
    yield f"### {short}" if version == 1 else f"### {short} version {version}"
    yield ""
    yield f"{schema['zh']} · {schema['doc']}"
    yield ""
    if schema["type"] == "enum":
        yield "One of " + ", ".join(f"`{symbol}`" for symbol in schema["symbols"]) + "; a reader that"
        yield f"does not know one reads `{schema['default']}`."
        yield ""
    elif schema["type"] == "fixed":
        yield f"{schema['size']} bytes."
        yield ""
    else:
        yield from _fields(schema["fields"])


def _fields(fields: list[dict[str, Any]]) -> Iterator[str]:
    if not fields:
        yield "No further fields."
        yield ""
        return
    yield "| field | type | default | pii | meaning |"
    yield "|---|---|---|---|---|"
    for field in fields:
        default = f"`{_json(field['default'])}`" if "default" in field else ""
        meaning = f"{field['zh']} · {field['doc']}"
        kind = _type(field["type"]) + _limit(field)
        cells = (f"`{field['name']}`", kind, default, field.get("pii", ""), meaning)
        yield "| " + " | ".join(cells) + " |"
    yield ""


def _limit(field: dict[str, Any]) -> str:
    """What the field's own files say of its length, beside the defaults of the introduction."""
    said = [", *lines*"] if SEVERAL_LINES in field else []
    said += [f", at most {field[name]:,}" for name in (MAX_ITEMS, MAX_CHARS) if name in field]
    items = field["type"].get("items") if isinstance(field["type"], dict) else None
    if isinstance(items, str) and "@" in items:
        name, version = items.removeprefix("casebus.").split("@")
        most = shared_file(name, int(version)).get(MAX_ITEMS)
        said += [] if most is None else [f", at most {most:,}"]
    return "".join(said)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _type(schema: Any) -> str:
    if isinstance(schema, list):
        (inner,) = [branch for branch in schema if branch != "null"]
        return f"{_type(inner)} or null"
    if isinstance(schema, str):
        if "@" not in schema:
            return _PLAIN.get(schema, schema)
        short, version = schema.removeprefix("casebus.").split("@")
        anchor = short.lower() if version == "1" else f"{short.lower()}-version-{version}"
        return f"[{short}](#{anchor})"
    if schema.get("logicalType") == "decimal":
        return f"decimal({schema['precision']},{schema['scale']})"
    if "logicalType" in schema:
        return _LOGICAL[schema["logicalType"]]
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    return _type(schema["type"])
