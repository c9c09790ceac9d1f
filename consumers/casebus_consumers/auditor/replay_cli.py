"""`casebus replay`: history from Kafka as JSON lines, checked against the ledger."""

import re
from collections import Counter
from contextlib import ExitStack
from typing import Annotated

import typer

from casebus_producers.cli import ConnectionOption
from casebus_producers.config import KafkaLogin, read_connection
from casebus_producers.connecting import quiet_kafka
from casebus_producers.keys.keys_reader import read_keyring
from casebus_producers.screen import say, say_json
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION, AUDITOR, BUS_KEY, COMMAND, ledgered_topics
from casebus_schemas.errors import UsageError
from casebus_schemas.rules.wording import MOST_NAMED
from casebus_services.ledger.ledger_database import open_database
from casebus_services.reconciler.stepped_over import SteppedOver, step_over_orders

from .ledger_rows import snapshot
from .replay import Bound, LedgerComparison, gaps, in_time_order, replay

_CHAIN = re.compile(r"[0-9a-fA-F-]{8,36}\Z")

app = typer.Typer(help="History from Kafka.")


@app.command("replay")
def replay_command(
    topic: Annotated[
        list[str] | None, typer.Option(help="only this topic (repeatable); else all ledgered")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="offset, day or time at which to begin")] = None,
    end: Annotated[str | None, typer.Option("--to", help="offset, day or time before which to end")] = None,
    chain: Annotated[
        str | None, typer.Option(help="only this chain, by its id or at least 8 characters of it")
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="with the events themselves")] = False,
    check: Annotated[bool, typer.Option(help="compare each record with the ledger")] = True,
    database_url: Annotated[str | None, typer.Option(help="the ledger; else that of connection.json")] = None,
    principal: Annotated[str, typer.Option("--as", help="who reads")] = AUDITOR,
    connection: ConnectionOption = None,
) -> None:
    """A JSON line for each record, oldest first: place, digest, type, chain, and whether the ledger agrees.

    Without a ledger at hand nothing is compared; with one the exit code is 1 if a record differs or is
    missing there. An admission or a word of the bus that is not under one of its keys is marked as forged,
    with who ordered the reconciler to step over it, when and why. Then, too, the exit code is 1, as where
    Kafka has deleted the beginning or ends before --from. "not yet" are records that came after the ledger's
    last batch. A summary goes to the error output.
    """
    if chain is not None and not _CHAIN.match(chain):
        raise UsageError("not a chain id", found=repr(chain[:60]), expected="at least 8 characters of one")
    quiet_kafka()
    known = read_connection(connection)
    login = KafkaLogin.read(principal, known)
    topics = topic or [spec.name for spec in ledgered_topics(login.partitions)]
    url = database_url or (known.databases.get("ledger") if known else None)
    counts: Counter[str] = Counter()
    first, last = (None if text is None else Bound.parse(text) for text in (start, end))
    if first and last and (first.offset is None) != (last.offset is None):
        raise UsageError(
            "--from and --to are of two kinds", found=f"{start}, {end}", expected="two offsets or two times"
        )
    with ExitStack() as stack:
        reader = stack.enter_context(TopicReader(login, topics))
        held, ends = reader.first(), reader.ends()
        asked = {} if first is None else first.offsets(reader)
        missing = list(gaps(held, ends, asked, by_time=first is not None and first.offset is None))
        starts = {place: max(at, asked.get(place, 0)) for place, at in held.items()}
        if last is not None:
            ends = {place: min(ends[place], at) for place, at in last.offsets(reader).items()}
        comparison = None
        if check and url is not None:
            # Opened after Kafka's ends were asked: what is ledgered since only adds to it.
            comparison = LedgerComparison(stack.enter_context(snapshot(open_database(url, read_only=True))))
        catalog = Catalog.load()
        keyring = read_keyring(login, catalog, (BUS_KEY,))
        orders = _orders(login, catalog, keyring) if ADMISSION in topics else {}
        for found in replay(in_time_order(reader, starts, ends), comparison, keyring, orders):
            body = found.to_json(catalog if events else None)
            if chain is not None and not str(body.get("chain")).startswith(chain.lower()):
                continue
            if found.problem is not None:
                counts["forged"] += 1
            counts[found.in_ledger or "not compared"] += 1
            say_json(body)
    say(", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing", err=True)
    for gap in missing[:MOST_NAMED]:
        say(f"缺 MISSING  {gap.text}", err=True)
    if missing or counts["different"] or counts["missing"] or counts["forged"]:
        raise typer.Exit(1)


def _orders(login: KafkaLogin, catalog: Catalog, keyring: Keyring) -> SteppedOver:
    with TopicReader(login, [COMMAND]) as commands:
        return step_over_orders(commands.read_to(commands.ends()), catalog, keyring)
