"""`casebus schemas`: the event types and their Avro schemas."""

from typing import Annotated

import typer

from casebus_producers.screen import say, say_json

from . import push as push_cli
from . import schema_gate as schema_gate_cli

app = typer.Typer(help="事件类型与模式 Event types and their schemas.", no_args_is_help=True)
app.add_typer(push_cli.app)
app.add_typer(schema_gate_cli.app)

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
    for entry in schema.schema["fields"]:
        say(f"  {entry['name']:<20} {entry.get('doc', '')}")
