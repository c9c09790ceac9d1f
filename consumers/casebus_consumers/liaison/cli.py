"""Commands of a liaison officer: `casebus inbox` and `casebus receipts`."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Annotated, Any

import typer

from casebus_consumers.panels import Screen
from casebus_producers.cli import AgencyOption, ConnectionOption, open_outbox
from casebus_producers.config import AgencySettings, KafkaLogin, read_connection
from casebus_producers.connecting import quiet_kafka
from casebus_producers.inbox_reader import ForgedNotice
from casebus_producers.publisher import Publisher
from casebus_producers.receipts import ReceiptReader
from casebus_producers.screen import say, say_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater
from casebus_schemas.times import read_exact_time

from .inbox import Inbox, Told
from .notice_view import receipt_line, show_notice

app = typer.Typer(help="What an agency hears.", no_args_is_help=True)

AfterOption = Annotated[int, typer.Option(help="only what stands behind this number")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="go on until Ctrl-C")]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object a line")]

_SEND_S = 60.0


@app.command("inbox")
def inbox_command(
    agency: AgencyOption,
    after: AfterOption = -1,
    follow: FollowOption = False,
    ack: Annotated[bool, typer.Option("--ack", help="say to the bus that they were fetched")] = False,
    as_json: JsonOption = False,
    connection: ConnectionOption = None,
    at: Annotated[
        str | None, typer.Option(hidden=True, help="when they were fetched, on a simulated bus")
    ] = None,
) -> None:
    """Notices of an agency in the order of their numbers, each once; resumable with --after.

    What is not by whom it says is shown as forged and never acknowledged; the exit code is then 1.
    """
    quiet_kafka()
    settings = AgencySettings.read(agency, read_connection(connection))
    fetched_at = _moment(at)
    catalog = Catalog.load()
    console = Screen()
    outbox = open_outbox(settings)
    publisher = Publisher(outbox, settings)
    positions: list[int] = []
    forged = False
    inbox = Inbox(settings, outbox, catalog)
    try:
        with publisher.running() if ack else nullcontext(), _until_interrupted():
            for run in inbox.notices(after, follow=follow):
                for notice in run:
                    forged = forged or isinstance(notice, ForgedNotice)
                    _show(notice, catalog, console, as_json)
                if ack:
                    positions.extend(queued.position for queued in inbox.acknowledge(run, fetched_at))
                    publisher.wake()
            if positions and not publisher.wait_sent(positions, _SEND_S):
                raise RetryLater(
                    "the acknowledgements wait in the outbox",
                    found=publisher.state().error,
                    expected="Kafka's acknowledgement",
                    remedy="they go out at the next publish, or by `casebus outbox --flush`",
                )
    finally:
        outbox.close()
    if forged:
        raise typer.Exit(1)


@app.command()
def receipts(
    agency: AgencyOption,
    after: AfterOption = -1,
    follow: FollowOption = False,
    as_json: JsonOption = False,
    connection: ConnectionOption = None,
) -> None:
    """What became of an agency's own records: admitted, refused, ledgered; resumable with --after."""
    quiet_kafka()
    catalog = Catalog.load()
    login = KafkaLogin.read(agency, read_connection(connection))
    with ReceiptReader(login, agency, catalog, after + 1) as reader, _until_interrupted():
        for record in reader.read_to(reader.ends()):
            for seq, found in reader.receipts([record]):
                _say(seq, found, catalog, as_json)
        while follow:
            for seq, found in reader.receipts(reader.poll(0.5)):
                _say(seq, found, catalog, as_json)


def _show(notice: Told, catalog: Catalog, console: Screen, as_json: bool) -> None:
    if as_json:
        say_json(notice.to_json())
    else:
        show_notice(notice, catalog, console)


def _say(seq: int, found: dict[str, Any], catalog: Catalog, as_json: bool) -> None:
    if as_json:
        say_json({"seq": seq, **found})
    else:
        say(f"#{seq}  {receipt_line(found, catalog)}")


@contextmanager
def _until_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else read_exact_time(text)
