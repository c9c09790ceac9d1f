"""`casebus ledger gossip`: whether everybody was shown the same ledger, and who cosigned it."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError

from .ledger_cli import ConnectionFile, Json, Principal
from .ledger_cli import app as app

_NEWEST = 10_000


@app.command("gossip")
def gossip(
    connection: ConnectionFile = None,
    policy: Annotated[
        Path | None,
        typer.Option(envvar="CASEBUS_POLICY_FILE", help="the policy; else that of connection.json"),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--all", help=f"every record, not only the newest {_NEWEST:,} of each topic")
    ] = False,
    principal: Principal = "auditor",
    as_json: Json = False,
) -> None:
    """Compare the heads that the ledger shows with all that witnesses cosigned; exit 1 upon two histories.

    Shows the newest head, which is provisional and which final, and who withholds a cosignature since when.
    """
    from casebus_producers.config import KafkaLogin, read_connection
    from casebus_producers.connecting import quiet_kafka

    from .cosigned_heads import witnesses_in_words
    from .gossip import Gossip

    quiet_kafka()
    known = read_connection(connection)
    file = policy or (known.policy_file if known else None)
    if file is None:
        raise UsageError("which policy?", expected="--policy FILE, or a connection.json that names it")
    with Gossip(KafkaLogin.read(principal, known), file, None if whole else _NEWEST) as reader:
        standing = reader.look()
    if as_json:
        say_json(standing.to_json())
        raise typer.Exit(0 if not standing.splits else 1)
    say(f"账本 ledger {standing.ledger}: 大小 size {standing.size}")
    say(f"暂定 provisional {standing.provisional}, 最终 final {standing.final}")
    late = witnesses_in_words(standing)
    for one in standing.witnesses:
        say(f"  {one.name:<8} {late.get(one.name) or f'cosigned size {one.size}'}")
    if standing.unknown:
        say(f"{standing.unknown} records that neither the log nor a witness of the policy signed")
    for split in standing.splits:
        say(f"两本账 TWO HISTORIES at size {split.size}, shown by {' and '.join(split.shown_by)}:")
        for note in (split.ours, split.theirs):
            for line in str(note).splitlines():
                say(f"  {line}")
    say("一致 one history" if not standing.splits else "keep both notes: each is signed by the log")
    raise typer.Exit(0 if not standing.splits else 1)
