"""`casebus schemas push`: the schemas of the bus into an external registry."""

from typing import Annotated

import typer

from casebus_producers.screen import say, say_json

app = typer.Typer()


@app.command("push")
def push_schemas(
    registry: Annotated[
        str, typer.Option("--registry", envvar="CASEBUS_REGISTRY_URL", help="its URL, user:password@ in it")
    ],
    topics: Annotated[bool, typer.Option(help="subjects `<topic>-<record name>` as well")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Fill an external Confluent registry with all schemas under our ids (import mode); repeatable."""
    from casebus_deploy.schema_tools.registry_push import push
    from casebus_schemas.catalogue.catalog import Catalog

    done = list(push(registry, Catalog.load(), topics=topics))
    added, present = sum(one.added for one in done), sum(one.present for one in done)
    if as_json:
        say_json({"subjects": len(done), "added": added, "present": present})
    else:
        say(f"{len(done)} subjects: {added} versions added, {present} were there")
