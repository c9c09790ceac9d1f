"""`casebus ledger drop`: the operator has the content of a record removed, by an order that stays."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casebus_consumers.auditor.timestamp_cli import app as app
from casebus_producers.screen import say, say_json
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.errors import Refused, RetryLater, UsageError

if TYPE_CHECKING:
    from casebus_services.ledger.ledger_database import Database

_LEDGERED_S = 60.0


@app.command("drop")
def drop(
    origin: Annotated[str, typer.Argument(help="where the record stands, topic/partition/offset")],
    reason: Annotated[str, typer.Option(help="why its content must not be kept; stays in the ledger")],
    connection: Annotated[
        Path | None, typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done, do nothing")] = False,
    delete_from_kafka: Annotated[
        int | None,
        typer.Option(
            help="also delete Kafka's copy WITH EVERY EARLIER RECORD of its partition; the number of "
            "records that go, as --dry-run states it",
            min=1,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Remove the content of an agency's record from the ledger; leaf, digest and every root stay.

    The order is a record in the ledger, and `ledger verify` names it beside the gap. Copies elsewhere stay:
    Kafka's own, those of admission, dead letter and notices, accounts, backups. What stands in a record's key
    or headers stays too.
    """
    from casebus_consumers.auditor.drop_orders import drop_orders
    from casebus_consumers.auditor.ledger_rows import snapshot
    from casebus_deploy.stack.kafka_copies import kafka_copies
    from casebus_deploy.stack.operations import Operator
    from casebus_producers.config import read_connection
    from casebus_schemas.catalogue.catalog import Catalog
    from casebus_services.ledger.drop import drop_payload
    from casebus_services.ledger.ledger_database import open_database

    known = read_connection(connection)
    if known is None or connection is None or "ledger" not in known.databases:
        raise UsageError("which bus?", expected="--connection FILE or CASEBUS_CONNECTION, with a ledger")
    place = _place(origin, known.partitions)
    database = open_database(known.databases["ledger"])
    with snapshot(database) as rows:
        index, digest, length = _content(rows, place)
        given = [order for order in drop_orders(rows, Catalog.load()) if order.value_sha256 == digest]
    body: dict[str, Any] = {"origin": origin, "index": index, "value_sha256": digest.hex(), "bytes": length}
    if delete_from_kafka is not None or dry_run:
        try:
            with kafka_copies(known, connection) as copies:
                body["kafka_records"] = copies.count_to(place)
        except (UsageError, RetryLater, Refused) as error:
            if delete_from_kafka is not None:
                raise
            body["kafka_records"], body["kafka_unknown"] = None, str(error)
    if delete_from_kafka is not None and delete_from_kafka != body["kafka_records"]:
        raise UsageError(
            "deleting Kafka's copy deletes every earlier record of its partition",
            found=f"--delete-from-kafka {delete_from_kafka}",
            expected=f"{body['kafka_records']}, the number of records that go for good",
        )
    if not dry_run:
        before = None if delete_from_kafka is None else place.offset + 1
        order = next((one.place for one in given if one.kafka_before == before), None)
        if order is None:
            operator = Operator.connect(connection)
            try:
                order = f"bus.command/0/{operator.drop_payload(place, digest, reason, before)}"
            finally:
                operator.close()
            _until_ledgered(database, Origin.parse(order))
        body["order"], body["dropped"] = order, drop_payload(database, digest)
        if before is not None:
            with kafka_copies(known, connection) as copies:
                copies.remove_to(place)
    database.engine.dispose()
    if as_json:
        say_json(body)
    else:
        for line in _lines(body):
            say(line)


def _place(origin: str, partitions: int) -> Origin:
    from casebus_schemas.catalogue.topology import agency_topics

    try:
        place = Origin.parse(origin)
    except ValueError as error:
        raise UsageError("not a place", found=repr(origin), expected="topic/partition/offset") from error
    if place.topic not in {spec.name for spec in agency_topics(partitions)}:
        raise UsageError(
            "only what agencies said can be removed",
            found=place.topic,
            expected="a channel of an agency; keys, orders and findings carry the evidence itself",
        )
    return place


def _content(rows: Any, place: Origin) -> tuple[int, bytes, int]:
    """Index, digest and length of the content. Raises UsageError if it is not there or must stay."""
    found = rows.entry_at(*place)
    if found is None:
        raise UsageError("no entry of the ledger", found=str(place), expected="a record that is ledgered")
    index, digest = found
    length = None if digest is None else rows.payload_length(digest)
    if digest is None or length is None:
        raise UsageError(
            "there is no content to remove", found=str(place), remedy="casebus ledger verify says why"
        )
    channels = {place.topic.partition(".")[0]}
    others = {topic for topic in rows.topics_with(digest) if topic.partition(".")[0] not in channels}
    if bound := sorted(others - {"bus.admission"}):
        raise UsageError("the same content stands elsewhere", found=", ".join(bound), expected="nowhere else")
    return index, digest, length


def _until_ledgered(database: "Database", order: Origin) -> None:
    """Until the ledger holds the order: content is never removed before."""
    from casebus_consumers.auditor.ledger_rows import snapshot

    deadline = time.monotonic() + _LEDGERED_S
    while True:
        with snapshot(database) as rows:
            if rows.entry_at(*order) is not None:
                return
        if time.monotonic() > deadline:
            raise RetryLater(
                "the order is given, nothing is removed yet",
                found=f"the ledger does not hold {order}",
                expected="its entry",
                remedy="is the ledger running? then give the same command again",
            )
        time.sleep(0.1)


def _lines(body: dict[str, Any]) -> Iterator[str]:
    yield f"{body['origin']}: entry {body['index']}, {body['bytes']} bytes, SHA-256 {body['value_sha256']}"
    if "order" in body:
        yield f"已删除 dropped by order {body['order']}; the leaf stays, ledger verify names the order"
    else:
        yield "未执行 nothing done (--dry-run)"
    records = body.get("kafka_records")
    if records is not None and "order" not in body:
        yield f"Kafka: its copy goes only with all {records} records up to it (--delete-from-kafka {records})"
    if "kafka_unknown" in body:
        yield f"Kafka: how many records would go is not known: {body['kafka_unknown']}"
    yield "仍留存 stays: admission, dead letter, notices, accounts, backups, and Kafka's copy unless deleted"
