"""Commands of a liaison officer: `casebus inbox` and `casebus receipts`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from casebus_consumers.unshowable import lines_or_reason
from casebus_producers.cli import AgencyOption, ConnectionOption, open_outbox
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.connecting import quiet_kafka
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.publisher import Publisher
from casebus_producers.received.inbox_reader import ForgedNotice
from casebus_producers.received.receipts import ReceiptReader
from casebus_producers.received.sealed_receipts import note_epochs, with_epoch
from casebus_producers.screen import is_terminal, say, say_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import read_exact_time

from .inbox import Inbox, Told
from .notice_view import plain_lines, receipt_line

app = typer.Typer(help="What an agency hears.", no_args_is_help=True)

AfterOption = Annotated[int, typer.Option(help="only what stands behind this number")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="go on until Ctrl-C")]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object a line")]

_SEND_S = 60.0
_AT_ONCE = 500


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

    What is not by whom it says is shown as forged and never acknowledged; the exit code is then 1, as where
    Kafka no longer holds the beginning or ends before --after.
    """
    quiet_kafka()
    settings = AgencySettings.read(agency, read_connection(connection))
    fetched_at = _moment(at)
    catalog = Catalog.load()
    show = _shower(catalog, as_json)
    outbox = open_outbox(settings)
    publisher = Publisher(outbox, settings)
    positions: list[int] = []
    forged = False
    gap: Sentence | None = None
    inbox = Inbox(settings, outbox, catalog)
    try:
        with publisher.running() if ack else nullcontext(), _until_interrupted():
            for run in inbox.notices(after, follow=follow):
                gap = gap or _said(inbox.gap)
                for notice in run:
                    forged = forged or isinstance(notice, ForgedNotice)
                    show(notice)
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
    if forged or gap is not None:
        raise typer.Exit(1)


@app.command()
def receipts(
    agency: AgencyOption,
    after: AfterOption = -1,
    follow: FollowOption = False,
    as_json: JsonOption = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="compare all that were kept with what Kafka holds now")
    ] = False,
    prove: Annotated[
        str | None, typer.Option(help="write the proof that this own event is in the ledger, by its id")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="with --prove: the file to write")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="with --prove: the policy that the checkpoint must fulfil")
    ] = None,
    connection: ConnectionOption = None,
) -> None:
    """What became of an agency's own records: admitted, refused, ledgered, sealed; resumable with --after.

    Each is checked against the bus's keys, kept in the agency's own file, and compared with what was sent and
    with what the bus said before. What is forged or says something else is marked; the exit code is then 1.
    With --prove a file is written by which anybody sees offline, under his own policy, that it was sent.
    """
    quiet_kafka()
    catalog = Catalog.load()
    settings = AgencySettings.read(agency, read_connection(connection))
    outbox = open_outbox(settings)
    false = False
    try:
        if verify:
            raise typer.Exit(_verify(settings, outbox, as_json))
        if prove is not None:
            _prove(settings, outbox, prove, output, policy or _policy_of(connection))
            return
        with ReceiptReader(settings, agency, catalog, after + 1, outbox) as reader, _until_interrupted():
            gap = _said(reader.gap(after + 1))
            waiting = reader.to_end()
            while run := list(islice(waiting, _AT_ONCE)):
                said = reader.receipts(run)
                note_epochs(settings, outbox, catalog)
                for seq, found in said:
                    false = false or "problem" in found
                    _say(seq, with_epoch(outbox, found), catalog, as_json)
            while follow:
                for seq, found in reader.receipts(reader.poll(0.5)):
                    _say(seq, found, catalog, as_json)
    finally:
        outbox.close()
    if false or gap is not None:
        raise typer.Exit(1)


def _said(gap: Sentence | None) -> Sentence | None:
    """Says what cannot be read."""
    if gap is not None:
        say(f"缺 MISSING  {gap.text}", err=True)
    return gap


def _policy_of(connection: Path | None) -> Path | None:
    known = read_connection(connection)
    return None if known is None else known.policy_file


def _prove(
    settings: AgencySettings, outbox: Outbox, event: str, output: Path | None, policy: Path | None
) -> None:
    from casebus_producers.received.sending_proof import prove_sent
    from casebus_schemas.evidence.trust_policy import TrustPolicy

    if output is None or policy is None:
        raise UsageError("the proof that it was sent", expected="--output FILE and --policy FILE")
    try:
        trusted = TrustPolicy.parse(policy.read_bytes(), str(policy))
        wanted = UUID(event)
    except (OSError, ValueError) as error:
        raise UsageError(
            "policy or event", found=f"{policy}, {event[:60]}: {error}", expected="a tlog-policy and an id"
        ) from error
    proof = prove_sent(settings, outbox, wanted, lambda note: trusted.judge(note).accepted)
    output.write_bytes(proof.to_bytes())
    where = f"{proof.head.origin}, entry {proof.index}, epoch {proof.epoch.number}"
    say(f"{output}: {where}; casebus ledger verify-proof judges it")


def _verify(settings: AgencySettings, outbox: Outbox, as_json: bool) -> int:
    from casebus_producers.received.receipts_check import verify_receipts

    found = verify_receipts(settings, outbox)
    problems = [{"log": log, **problem.to_json()} for log, problem in found.problems]
    if as_json:
        say_json({"ok": not problems, "leaves": found.leaves, "roots": found.roots, "problems": problems})
    else:
        for log, problem in found.problems:
            say(f"不符 FALSE  {log}: {problem.text}")
        say(f"{found.leaves} leaves and {found.roots} roots of kept receipts compared with Kafka")
    return 1 if problems else 0


def _shower(catalog: Catalog, as_json: bool) -> Callable[[Told], None]:
    """Shows a notice: as JSON, as a panel on a terminal, else as plain lines."""
    if as_json:
        return lambda notice: say_json(notice.to_json())
    if is_terminal():
        from casebus_consumers.panels import Screen

        from .notice_panel import show_panel

        console = Screen()
        return lambda notice: show_panel(notice, catalog, console)

    def plainly(notice: Told) -> None:
        for line in plain_lines(notice, catalog):
            say(line)

    return plainly


def _say(seq: int, found: dict[str, Any], catalog: Catalog, as_json: bool) -> None:
    if as_json:
        say_json({"seq": seq, **found})
        return
    mark = "伪造 FORGED  " if found.get("forged") else "不符 FALSE  " if "problem" in found else ""
    why = f"  {found['problem']['zh']} / {found['problem']['en']}" if mark else ""
    for line in lines_or_reason(f"#{seq}", lambda: [f"#{seq}  {mark}{receipt_line(found, catalog)}{why}"]):
        say(line)


@contextmanager
def _until_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else read_exact_time(text)
