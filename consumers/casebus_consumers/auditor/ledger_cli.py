"""`casebus ledger`: verify the evidence, rebuild it from Kafka, copy it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError

if TYPE_CHECKING:
    from casebus_schemas.evidence.genesis import Genesis

app = typer.Typer(help="账本与证据 The ledger and its evidence.", no_args_is_help=True)

ConnectionFile = Annotated[
    Path | None, typer.Option("--connection", envvar="CASEBUS_CONNECTION", help="connection.json of the bus")
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", envvar="CASEBUS_LEDGER_URL", help="the ledger's database (sqlite:///…)"),
]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on standard output")]
Principal = Annotated[str, typer.Option("--as", help="the principal that reads Kafka")]

Policy = Annotated[
    Path | None, typer.Option("--policy", help="tlog-policy file that you bring: whose checkpoints count")
]

GenesisFile = Annotated[
    Path | None, typer.Option("--genesis", help="your copy of the genesis file; else connection.json's")
]

_SHOWN_DAMAGES = 50


@app.command("verify")
def verify(
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
    against_kafka: Annotated[
        bool, typer.Option("--against-kafka", help="compare with the topics: shows a removed tail")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="the tables, Kafka, and every head that was published or cosigned")
    ] = False,
    policy: Policy = None,
    genesis: GenesisFile = None,
    wait: Annotated[
        float, typer.Option(help="seconds to wait for a running ledger to take up the newest records")
    ] = 10.0,
    principal: Principal = "auditor",
    as_json: Json = False,
) -> None:
    """Check every row of the ledger and every signature; exit 1 and name what is damaged or forged.

    Checkpoints and cosignatures are verified under the keys of --policy, else under the log's key in
    connection.json.
    """
    from casebus_producers.config import KafkaLogin, read_connection
    from casebus_schemas.catalogue.topology import ledgered_topics
    from casebus_services.ledger.ledger_database import open_database

    from .against_heads import compare_heads
    from .against_kafka import compare_with_kafka
    from .checkpoint_view import read_policy, trusted_by
    from .signature_check import check_signatures
    from .verify import verify_ledger

    known = read_connection(connection)
    trusted = trusted_by(read_policy(policy), known.ledger_vkey if known else None)
    if full and trusted.log is None:
        raise UsageError("whose heads?", expected="--policy FILE, or a connection.json with the log's key")
    database = open_database(database_url_of(database_url, known), read_only=True)
    with _progress(quiet=as_json) as watch:
        report = verify_ledger(database, watch, trusted)
        check_signatures(database, report, watch, genesis_by(genesis, known), trusted)
        if against_kafka or full:
            login = KafkaLogin.read(principal, known)
            topics = [spec.name for spec in ledgered_topics(login.partitions)]
            compare_with_kafka(database, login, topics, report, wait_s=wait, watch=watch)
            if full and trusted.log is not None:
                compare_heads(database, login, trusted.log, report)
    database.engine.dispose()
    if as_json:
        say_json(report.to_json())
    else:
        _show(report)
    raise typer.Exit(0 if report.ok else 1)


@app.command("rebuild")
def rebuild_command(
    into: Annotated[
        str | None,
        typer.Option(help="URL of an empty database for the rebuilt ledger; without it a temporary one"),
    ] = None,
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
    policy: Policy = None,
    genesis: GenesisFile = None,
    principal: Principal = "auditor",
    as_json: Json = False,
) -> None:
    """Rebuild the ledger from Kafka and compare its roots with the recorded ones; exit 1 if any differs.

    The head log is made again from bus.checkpoint, so that checkpoints of before hold for the rebuilt ledger.
    """
    from casebus_producers.config import KafkaLogin, read_connection
    from casebus_schemas.catalogue.topology import ledgered_topics
    from casebus_services.ledger.ledger_database import open_database
    from casebus_services.ledger.rebuild import rebuild

    from .checkpoint_view import read_policy, trusted_by
    from .damage import VerifyReport
    from .rebuilt_epochs import compare_checkpoints, epochs_in_kafka, rebuild_epochs
    from .same_roots import compare_ledgers, recorded_sizes
    from .signature_check import check_signatures

    known = read_connection(connection)
    recorded_url = database_url_of(database_url, known)
    if recorded_url == into:
        raise UsageError("a ledger cannot be rebuilt into itself", found=into, expected="an empty database")
    login = KafkaLogin.read(principal, known)
    topics = [spec.name for spec in ledgered_topics(login.partitions)]
    recorded = open_database(recorded_url, read_only=True)
    # The ledger may be running: what it records from now on is not in question.
    sizes = recorded_sizes(recorded)
    with TemporaryDirectory(prefix="casebus-rebuild-") as folder, _progress(quiet=as_json) as watch:
        url = into or f"sqlite:///{folder}/rebuilt.db"
        entries = rebuild(login, topics, url, lambda done: watch("records of Kafka", done, done))
        report = VerifyReport(entries=entries)
        key = trusted_by(read_policy(policy), known.ledger_vkey if known else None).log
        if key is not None:
            report.epochs = rebuild_epochs(epochs_in_kafka(login), url, key, report)
        rebuilt = open_database(url, read_only=True)
        roots = compare_ledgers(recorded, rebuilt, sizes, report)
        report.checkpoints = compare_checkpoints(recorded, rebuilt, report)
        check_signatures(rebuilt, report, watch, genesis_by(genesis, known))
        rebuilt.engine.dispose()
    recorded.engine.dispose()
    if as_json:
        say_json({**report.to_json(), "roots_compared": roots})
    else:
        say(f"{entries} entries rebuilt, {roots} recorded roots compared")
        say(f"{report.epochs} epochs made again, {report.checkpoints} recorded checkpoints compared")
        _show_signatures(report)
        _show_damages(report)
    raise typer.Exit(0 if report.ok else 1)


@app.command("checkpoint")
def checkpoint_command(
    size: Annotated[int | None, typer.Option(help="of the head log; without it the latest", min=1)] = None,
    policy: Policy = None,
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
    as_json: Json = False,
) -> None:
    """Print a signed checkpoint with its cosignatures; exit 1 if the policy or the log's key refuses it.

    What is printed is the note itself: C2SP tools read it from a file.
    """
    from casebus_producers.config import read_connection
    from casebus_services.ledger.ledger_database import open_database

    from .checkpoint_view import log_key, read_checkpoint, read_policy

    known = read_connection(connection)
    database = open_database(database_url_of(database_url, known), read_only=True)
    key = log_key(known.ledger_vkey if known else None)
    shown = read_checkpoint(database, size, key, read_policy(policy))
    database.engine.dispose()
    if as_json:
        say_json(shown.to_json())
    else:
        for line in str(shown.note).splitlines():
            say(line)
        if shown.problem is not None:
            say(f"不可信 not believed: {shown.problem}", err=True)
    raise typer.Exit(0 if shown.problem is None else 1)


@app.command("backup")
def backup_command(
    to: Annotated[Path, typer.Argument(help="the new file")],
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
    as_json: Json = False,
) -> None:
    """Copy a ledger in SQLite whole, while it runs, and verify the copy; exit 1 if that is damaged.

    The copy is one file that needs no -wal and can be read from a medium that cannot be written. A ledger in
    PostgreSQL is backed up by pg_dump.
    """
    from sqlalchemy import make_url

    from casebus_producers.config import read_connection
    from casebus_services.ledger.ledger_database import open_database
    from casebus_services.ledger.ledger_tables import SQLITE
    from casebus_services.sqlite_backup import back_up

    from .verify import verify_ledger

    url = make_url(database_url_of(database_url, read_connection(connection)))
    if url.get_backend_name() != SQLITE or not url.database:
        raise UsageError(
            "only a ledger in a SQLite file is copied by this command",
            found=url.get_backend_name(),
            expected="sqlite:///…",
            remedy="pg_dump --format=custom makes a whole copy; --data-only orders the tables",
        )
    back_up(Path(url.database), to)
    copy = open_database(f"sqlite:///{to.absolute()}", read_only=True)
    with _progress(quiet=as_json) as watch:
        report = verify_ledger(copy, watch)
    copy.engine.dispose()
    if as_json:
        say_json({"backup": str(to.absolute()), **report.to_json()})
    else:
        say(f"{to}: {report.entries} entries in {len(report.logs)} logs")
        _show_damages(report)
    raise typer.Exit(0 if report.ok else 1)


def genesis_by(file: Path | None, connection: Connection | None) -> "Genesis | None":
    """The reader's own genesis file, else the one that connection.json names, if it is there."""
    from casebus_schemas.evidence.genesis import read_genesis

    named = None if connection is None else connection.genesis_file
    if file is None and named is not None and named.exists():
        file = named
    return None if file is None else read_genesis(file)


def database_url_of(given: str | None, connection: Connection | None) -> str:
    url = given or (connection.databases.get("ledger") if connection else None)
    if url is None:
        raise UsageError(
            "which ledger?", expected="--database-url URL, --connection FILE or CASEBUS_CONNECTION"
        )
    return url


def _show(report: Any) -> None:
    for log in report.logs:
        say(f"{log.origin:<40} {log.size:>9}  {log.root.hex()}")
    compared = "" if report.compared is None else f", {report.compared} records compared with Kafka"
    looked_at = f"{report.entries} entries, {report.payloads} payloads, {report.tiles} tiles"
    say(f"{looked_at} in {len(report.logs)} logs{compared}; {report.seconds:.1f} s")
    if report.head is not None:
        under = "signatures not looked at" if report.log_key is None else f"under {report.log_key}"
        heads = "" if report.heads_compared is None else f", {report.heads_compared} heads in Kafka compared"
        counts = f"{report.checkpoints} checkpoints, {report.cosignatures} cosignatures"
        say(f"{report.epochs} epochs, {counts} {under}{heads}")
    _show_signatures(report)
    _show_damages(report)


def _show_signatures(report: Any) -> None:
    rate = report.signatures / report.signature_seconds if report.signature_seconds else 0
    awaited = f", {report.origins_awaited} origins not ledgered yet" if report.origins_awaited else ""
    say(f"{report.signatures} signatures read; {report.signature_seconds:.1f} s, {rate:,.0f}/s{awaited}")

    if report.genesis is None:
        say("创始文件未给出 no genesis file: each first key is believed as it was announced")
    else:
        say(f"以创始文件为准 first keys by the genesis {report.genesis.hex()}")
    for shared in report.shared_keys:
        say(f"一钥两用 one key for two purposes: {shared}")
    for note in report.genesis_notes:
        say(f"创始文件未载 not pinned: {note}")


def _show_damages(report: Any) -> None:
    for dropped in report.dropped[:_SHOWN_DAMAGES]:
        say(f"内容已不存 content absent: {dropped}")
    for shredded in report.shredded[:_SHOWN_DAMAGES]:
        say(f"数据密钥已销毁 data key destroyed: {shredded}")
    for order in report.kept:
        say(f"待删除 ordered, but there: the content of {order.origin}, by order {order.place}")
    for over in report.stepped_over:
        say(f"已越过 stepped over: {over.order.origin}, {over}")
    if idle := report.step_over_orders - len(report.stepped_over):
        say(f"{idle} orders to step over name nothing that is forged here")
    for doubt in report.doubts[:_SHOWN_DAMAGES]:
        say(f"存疑 in doubt: {doubt}")
    if (more := report.doubt_count - _SHOWN_DAMAGES) > 0:
        say(f"… and {more} more in doubt; --json lists up to 1,000")
    for damage in report.damages[:_SHOWN_DAMAGES]:
        say(f"损坏 damaged: {damage}")
    hidden = report.damage_count - min(len(report.damages), _SHOWN_DAMAGES)
    if hidden > 0:
        say(f"… and {hidden} more; --json lists up to 1,000")
    sound = "完好 sound"
    if report.dropped_count:
        sound += f", but for {report.dropped_count} contents that are absent, each allowed by an entry"
    say(sound if report.ok else f"损坏 {report.damage_count} damages: the ledger is not as it was written")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    """Progress bars on standard error, where a person looks at it."""
    if quiet or not sys.stderr.isatty():
        yield lambda _what, _done, _of: None
        return
    from rich.progress import Progress, TaskID

    from casebus_consumers.panels import Screen

    with Progress(console=Screen(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def watch(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what)
            progress.update(tasks[what], completed=done, total=of)

        yield watch
