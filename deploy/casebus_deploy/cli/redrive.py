"""`casebus dead-letters redrive`: the operator has a refused record judged, or a chain computed, again."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from casebus_consumers.liaison.dead_letters_cli import app as app
from casebus_producers.screen import say, say_json
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.errors import UsageError


@app.command("redrive")
def redrive(
    origin: Annotated[
        str | None, typer.Argument(help="where it stands, topic/partition/offset, as `list` shows it")
    ] = None,
    chain: Annotated[
        str | None, typer.Option(help="instead of a record: a chain that is set aside, as `list` shows it")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="why it may succeed now; kept in the ledger")] = None,
    connection: Annotated[
        Path | None, typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Order a new judgement of a refused record, or that a chain which was set aside is computed again.

    The record is read at its origin again and judged as the next attempt; its sender gets the receipt. Exit 1
    if it is no dead letter; it is said if the same was admitted since. The chain is computed from all its
    events; `list` shows if it is still set aside.
    """
    if (origin is None) == (chain is None):
        raise UsageError("what is to be driven again?", expected="a record's place, or --chain")
    if chain is not None:
        body, text = _chain(chain, reason, connection)
    else:
        body, text = _record(str(origin), reason, connection)
    if as_json:
        say_json(body)
    else:
        say(text)


def _chain(chain: str, reason: str | None, connection: Path | None) -> tuple[dict[str, Any], str]:
    from casebus_deploy.stack.operations import Operator

    try:
        wanted = UUID(chain)
    except ValueError as error:
        raise UsageError("not a chain", found=repr(chain[:50]), expected="a chain id (UUID)") from error
    operator = Operator.connect(connection)
    try:
        offset = operator.recompute(wanted, reason)
    finally:
        operator.close()
    body = {"chain": str(wanted), "command": f"bus.command/0/{offset}"}
    return body, f"{wanted}: ordered by bus.command/0/{offset}; see casebus dead-letters list"


def _record(origin: str, reason: str | None, connection: Path | None) -> tuple[dict[str, Any], str]:
    from casebus_consumers.liaison.dead_letters import dead_letters
    from casebus_consumers.liaison.said_since import said_since
    from casebus_deploy.stack.operations import Operator
    from casebus_producers.config import KafkaLogin, read_connection
    from casebus_schemas.catalogue.topology import OPERATOR
    from casebus_schemas.errors import SECRET_CODES, Refused

    try:
        place = Origin.parse(origin)
    except ValueError as error:
        raise UsageError("not a place", found=repr(origin), expected="topic/partition/offset") from error
    known = read_connection(connection)
    login = KafkaLogin.read(OPERATOR, known)
    letters = [letter for letter in dead_letters(login) if letter.origin == place]
    if not letters:
        raise UsageError("no dead letter has that origin", found=origin, remedy="casebus dead-letters list")
    last = max(letters, key=lambda letter: letter.attempt)
    if last.code in SECRET_CODES:
        raise Refused(
            "not-authorised",
            f"a record refused as {last.code} is never driven again",
            remedy="publish it anew",
        )
    operator = Operator.connect(connection)
    try:
        offset = operator.redrive(place, last.attempt + 1, reason)
    finally:
        operator.close()
    url = known.databases.get("accounts") if known else None
    since = None if url is None else said_since(url, last)
    said = None if since is None else since.digest.hex()
    body = {
        "origin": origin,
        "attempt": last.attempt + 1,
        "command": f"bus.command/0/{offset}",
        "admitted_since": said,
    }
    text = f"{origin}: attempt {last.attempt + 1} ordered by bus.command/0/{offset}; see casebus receipts"
    if said is not None:
        text += f"\n同样内容已另行准入 the same was admitted since, as {said}: it will be a repeat (R03)"
    return body, text
