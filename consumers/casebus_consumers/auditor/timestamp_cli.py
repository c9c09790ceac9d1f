"""`casebus ledger timestamp, verify-timestamp`: checkpoints stamped by an authority outside (RFC 3161)."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError

from .evidence_cli import MayPolicy, Policy, ledger_rows, read_file, read_policy, which_suffices
from .ledger_cli import ConnectionFile, DatabaseUrl, Json
from .receipt_cli import app as app

if TYPE_CHECKING:
    from .time_stamps import ProvenTime


@app.command("timestamp")
def timestamp(
    name: Annotated[
        Path,
        typer.Argument(help="of the files: NAME.note the checkpoint, NAME.tsq request, NAME.tsr response"),
    ],
    response: Annotated[
        Path | None, typer.Option(help="the authority's answer to NAME.tsq, brought back as a file")
    ] = None,
    url: Annotated[str | None, typer.Option(help="send the request to this authority by HTTP")] = None,
    policy: MayPolicy = None,
    cosignatures: Annotated[
        int, typer.Option(min=0, help="without --policy: take the newest checkpoint with so many")
    ] = 3,
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
) -> None:
    """Have the newest good checkpoint stamped by a time-stamping authority: in two steps, or by --url.

    First writes the checkpoint and the request; then, with the authority's answer, checks that it belongs to
    that request, and keeps it.
    """
    from .time_stamps import ask, check_answer, request_for

    note_file, request_file, response_file = (
        name.with_name(f"{name.name}.{end}") for end in ("note", "tsq", "tsr")
    )
    if response is None:
        with ledger_rows(database_url, connection) as rows:
            note = rows.checkpoint(1, which_suffices(policy, cosignatures))
        if note_file.exists() or request_file.exists():
            raise UsageError(
                f"{note_file} is there", expected="another NAME, or --response for the request made before"
            )
        request = request_for(note)
        note_file.write_bytes(note.to_bytes())
        request_file.write_bytes(request)
        say(f"{note_file}, {request_file}: size {note.text.splitlines()[1]}")
        if url is None:
            say(f"交时间戳机构 take {request_file} to the authority, then: --response ANSWER")
            return
        answer = ask(url, request)
    else:
        answer = read_file(response)
    check_answer(read_file(request_file), answer)
    response_file.write_bytes(answer)
    say(f"{response_file}: keep it beside {note_file}; verify-timestamp says what both show")


@app.command("verify-timestamp")
def verify_timestamp(
    file: Annotated[Path, typer.Argument(help="the checkpoint, or a proof that was made with it")],
    response: Annotated[Path, typer.Option(help="the authority's response")],
    authority: Annotated[Path, typer.Option(help="PEM of the authority's root certificate, which you trust")],
    policy: Policy,
    as_json: Json = False,
) -> None:
    """Check when a checkpoint was there at the latest, under your policy and authority; exit 1 if not."""
    from .time_stamps import judge_time

    try:
        shown = judge_time(read_file(file), read_file(response), read_file(authority), read_policy(policy))
    except ValueError as error:
        raise UsageError(f"cannot read {file} or {authority}", found=str(error)[:200]) from error
    if as_json:
        say_json(time_json(shown))
    else:
        for line in time_lines(shown):
            say(line)
    raise typer.Exit(0 if shown.problem is None else 1)


def time_json(shown: "ProvenTime") -> dict[str, Any]:
    """`proven`, `problem`, the checkpoint, when it was stamped by whom."""
    from .verified_words import checkpoint_json

    return {
        "proven": shown.problem is None,
        "problem": shown.problem,
        **checkpoint_json(shown.verdict, None),
        "stamped_at": None if shown.stamped_at is None else shown.stamped_at.isoformat(),
        "accuracy_s": shown.accuracy_s,
        "authority": shown.authority,
        "serial": shown.serial,
    }


def time_lines(shown: "ProvenTime") -> Iterator[str]:
    """The same in lines."""
    from .verified_words import witness_lines

    if shown.problem is not None or shown.stamped_at is None:
        yield f"未能证明 NOT PROVEN: {shown.problem}"
        return
    found = time_json(shown)
    yield f"已证明 proven: 不晚于 was there at the latest {found['stamped_at']}"
    yield f"  账本 ledger {found['ledger']}, 封存期 epochs {found['size']}, root {found['root']}"
    accuracy = "未声明 not said" if shown.accuracy_s is None else f"±{shown.accuracy_s:g} s"
    yield f"  时间戳机构 authority {shown.authority}, no. {shown.serial}, 精度 accuracy {accuracy}"
    yield from witness_lines(shown.verdict)
    yield "  其中的条目、签名、联署当时均已存在 and so were all entries, signatures and cosignatures in it"
