"""`casebus dead-letters step-over`: the operator has the reconciler go on behind a forged admission."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_deploy.cli.redrive import app as app
from casebus_producers.screen import say, say_json
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.errors import UsageError


@app.command("step-over")
def step_over(
    origin: Annotated[
        str, typer.Argument(help="where it stands, bus.admission/partition/offset, as doctor says")
    ],
    reason: Annotated[
        str, typer.Option(help="why it may be left behind, and who wrote it; kept in the ledger")
    ],
    connection: Annotated[
        Path | None, typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what stands there, order nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Order that a record of bus.admission which is not the router's is left behind, and no other.

    The order names the very record by its leaf hash and stays in the ledger; `ledger verify` and doctor go on
    naming the forgery. What stood in it has no effect. Exit 2 if the record is the router's.
    """
    from casebus_deploy.stack.operations import Operator
    from casebus_producers.config import KafkaLogin, read_connection
    from casebus_producers.keys.keys_reader import read_keyring
    from casebus_producers.topic_reader import TopicReader
    from casebus_schemas.catalogue.catalog import Catalog
    from casebus_schemas.catalogue.topology import ADMISSION, BUS_KEY, OPERATOR
    from casebus_schemas.errors import Forged
    from casebus_schemas.evidence.leaf import leaf, leaf_hash
    from casebus_schemas.wire.records import TopicPartition
    from casebus_services.reconciler.arrivals import arrivals_of

    try:
        at = Origin.parse(origin)
    except ValueError as error:
        raise UsageError(
            "not a place", found=repr(origin), expected="bus.admission/partition/offset"
        ) from error
    login = KafkaLogin.read(OPERATOR, read_connection(connection))
    place = TopicPartition(at.topic, at.partition)
    if at.topic != ADMISSION or not 0 <= at.partition < login.partitions:
        raise UsageError("no place of an admission", found=origin, expected="bus.admission/partition/offset")
    with TopicReader(login, [ADMISSION], {place: at.offset}) as reader:
        ends = reader.ends()
        reader.pause(other for other in ends if other != place)
        end = min(at.offset + 1, ends[place])
        record = next((one for one in reader.read_to({place: end}) if one.offset == at.offset), None)
    if record is None:
        raise UsageError("nothing stands there", found=origin, expected="a record that Kafka holds")
    try:
        list(arrivals_of([record], read_keyring(login, Catalog.load(), (BUS_KEY,))))
    except Forged as forged:
        problem = forged.detail
    else:
        raise UsageError(
            "that admission is the router's", found=origin, expected="a forged one", remedy="casebus doctor"
        )
    digest = leaf_hash(leaf(record))
    body = {"origin": origin, "leaf": digest.hex(), "problem": problem, "command": None}
    if not dry_run:
        operator = Operator.connect(connection)
        try:
            body["command"] = f"bus.command/0/{operator.step_over(at, digest, reason)}"
        finally:
            operator.close()
    if as_json:
        say_json(body)
        return
    say(f"{origin}: {problem}")
    say(f"leaf {digest.hex()}")
    ordered = f"已下令越过 ordered by {body['command']}; see casebus doctor"
    say(ordered if body["command"] else "未执行 nothing ordered (--dry-run)")
