"""`casebus schemas`: the event types and their Avro schemas."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.texts.harmless import json_text

from . import push as push_cli
from . import schema_gate as schema_gate_cli

app = typer.Typer(help="事件类型与模式 Event types and their schemas.", no_args_is_help=True)
app.add_typer(push_cli.app)
app.add_typer(schema_gate_cli.app)

_DOOR = {
    "decimal": "decimal as text",
    "date": "day, 2016-10-18",
    "timestamp-millis": "time with offset",
    "uuid": "UUID",
}
"""How the door writes Avro's logical types."""

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command("list")
def list_types(as_json: Json = False) -> None:
    """Every event type: who may say it, on which channel, in which versions."""
    from casebus_schemas.catalogue.catalog import Catalog

    catalog = Catalog.load()
    versions: dict[str, list[tuple[int, int]]] = {}
    for schema in catalog.schemas():
        versions.setdefault(schema.type, []).append((schema.version, schema.id))
    if as_json:
        body = [
            {
                "type": name,
                "channel": entry.channel,
                "speakers": sorted(entry.speakers),
                "answers": list(entry.answers),
                "by_law": list(entry.by_law),
                "zh": entry.title_zh,
                "en": entry.title_en,
                "versions": [{"version": number, "id": id_} for number, id_ in versions[name]],
            }
            for name, entry in catalog.types.items()
        ]
        say_json(body)
        return
    for name, entry in catalog.types.items():
        shown = ", ".join(f"v{number} = {id_}" for number, id_ in versions[name])
        who = ",".join(sorted(entry.speakers))
        say(f"{name:<38} {who:<14} {shown:<14} {entry.title_zh} {entry.title_en}")


@app.command("show")
def show(
    type: Annotated[str, typer.Argument(help="event type, such as referral.submitted")],
    as_json: Annotated[bool, typer.Option("--json", help="the inlined Avro schema alone")] = False,
) -> None:
    """The newest schema of a type: id, fingerprint, fields."""
    from casebus_schemas.catalogue.catalog import Catalog

    schema = Catalog.load().latest(type)
    if as_json:
        say_json(schema.schema, indent=1)
        return
    say(f"{schema.type} version {schema.version}")
    say(f"  id          {schema.id}")
    say(f"  dataschema  {schema.dataschema}")
    say("  * 必填 required; = 缺省值 what stands where nothing is said; JSON as in docs/records.md")
    for line in _fields(schema.annotated["fields"], dict(schema.definitions), set()):
        say(f"  {line}")


@app.command("example")
def example(
    type: Annotated[str, typer.Argument(help="event type, such as referral.submitted")],
) -> None:
    """An event of a type with every field, as JSON of the door, to be edited and published."""
    from importlib.resources import files

    from casebus_schemas.catalogue.catalog import Catalog

    schema = Catalog.load().latest(type)
    file = files("casebus_schemas") / "examples" / f"{schema.type}.{schema.version}.json"
    say_json(json.loads(file.read_text(encoding="utf-8")), indent=1)


def _fields(fields: list[dict[str, Any]], definitions: dict[str, Any], seen: set[str]) -> Iterator[str]:
    """Each field with its type, whether it is required or what stands in its stead; records below, once."""
    for field in fields:
        name, type = field["name"], field["type"]
        if name in ("occurred_at", "sealed"):
            continue  # the event's `time`; personal facts have a form of their own
        mark = " " if "default" in field else "*"
        default = f" = {json_text(field['default'])}" if "default" in field else ""
        said = " ".join(filter(None, (field.get("zh", ""), field.get("doc", ""))))
        yield f"{mark} {name:<20} {_type(type, definitions)}{default}   {said}".rstrip()
        for record in _records(type, definitions):
            if record["name"] not in seen:
                seen.add(record["name"])
                for line in _fields(record["fields"], definitions, seen):
                    yield f"    {line}"


def _type(type: Any, definitions: dict[str, Any]) -> str:
    """An Avro type in the words of the door."""
    if isinstance(type, list):
        return " | ".join(_type(one, definitions) for one in type)
    if isinstance(type, str):
        return _type(definitions[type], definitions) if type in definitions else type
    if "logicalType" in type:
        return _DOOR.get(type["logicalType"], str(type["logicalType"]))
    kind = type["type"]
    if kind == "array":
        return f"[{_type(type['items'], definitions)}]"
    if kind == "enum":
        return "one of " + ", ".join(type["symbols"])
    if kind in ("record", "fixed"):
        return (
            str(type["name"]).rpartition(".")[2]
            if kind == "record"
            else f"{2 * type['size']} hexadecimal digits"
        )
    return _type(kind, definitions)


def _records(type: Any, definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if isinstance(type, list):
        for one in type:
            yield from _records(one, definitions)
    elif isinstance(type, str):
        if type in definitions:
            yield from _records(definitions[type], definitions)
    elif type.get("type") == "record":
        yield type
    elif type.get("type") == "array":
        yield from _records(type["items"], definitions)
