"""`casebus enroll`: an agency asks to join with keys of its own, the operator looks and admits."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.enrolment.request import Request
from casebus_schemas.errors import UsageError

if TYPE_CHECKING:
    from casebus_producers.enrolment.own_folder import OwnFolder
    from casebus_schemas.evidence.ed25519 import PrivateKey
    from casebus_schemas.evidence.signed_note import VerifierKey

app = typer.Typer(
    help="加入总线 An agency joins with keys that it makes itself and never hands over.", no_args_is_help=True
)

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
RequestFile = Annotated[Path, typer.Argument(help="the request as the agency wrote it")]


@app.command("request")
def request(
    agency: Annotated[str, typer.Option("--agency", "-a", help="the agency that joins")],
    ledger: Annotated[str, typer.Option(help="the bus: its ledger's name, as the operator says it")],
    contact: Annotated[str, typer.Option(help="an office and how to reach it; no person's name")],
    folder: Annotated[Path, typer.Option("--dir", help="folder of the agency's keys, mode 0700")],
    witness: Annotated[bool, typer.Option(help="a key for a witness of the agency too")] = False,
    as_json: Json = False,
) -> None:
    """At the agency: make its signing and encryption key, and write the request for the operator.

    The keys stay in the folder, in files of mode 0600; the request holds their public halves and is signed
    with them. Given again, the same keys are in a new request.
    """
    from casebus_producers.enrolment.own_folder import OwnFolder
    from casebus_producers.enrolment.requesting import request_file, request_to_join

    own = OwnFolder(folder.absolute())
    made = request_to_join(
        own, agency, ledger, contact, (lambda: _witness_key(own, agency, ledger)) if witness else None
    )
    file = own.file(request_file(agency))
    if as_json:
        say_json({"request": str(file), **_facts(made)})
        return
    say(f"申请文件 request: {file}")
    _show(made)
    say("把文件交给运营方，来电时读出核对号 hand the file over; read the number out when the operator calls")


@app.command("show")
def show(file: RequestFile, as_json: Json = False) -> None:
    """What a request says, and the number that agency and operator compare over the telephone."""
    found = _read(file)
    if as_json:
        say_json(_facts(found))
    else:
        _show(found)


@app.command("approve")
def approve(
    file: RequestFile,
    connection: Annotated[
        Path | None, typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json")
    ] = None,
    agency: Annotated[str | None, typer.Option("--agency", "-a", help="whose request it has to be")] = None,
    number: Annotated[
        str | None, typer.Option("--number", help="the number that the agency read out over the telephone")
    ] = None,
    as_json: Json = False,
) -> None:
    """At the operator: judge a request, announce its keys with the agency's own signature, make the login.

    Without --number it only shows what it found: call the agency at a number that you know, not at one in the
    file, and let it read out its own. Broken off, the same command goes on where it stopped.
    """
    from casebus_deploy.stack.enrolment import approved, judged
    from casebus_producers.config import read_connection

    known = read_connection(connection)
    if known is None or connection is None:
        raise UsageError("which bus?", expected="--connection FILE or CASEBUS_CONNECTION")
    found = _read(file)
    if agency is not None and agency != found.agency:
        raise UsageError("the request is of another agency", found=found.agency, expected=agency)
    if number is None:
        judged(known, connection, found)
        if as_json:
            say_json({"approved": False, **_facts(found)})
        else:
            _show(found)
            say("尚未批准 not approved yet: 致电该机关核对 call the agency, give --number as it reads it out")
        raise typer.Exit(1)
    if "".join(number.lower().split()) != found.file.number:
        raise UsageError(
            "the number is not that of this request",
            found=number[:60],
            expected="the number that the agency has of its own file",
            remedy="do not approve it: the file was changed on its way, or is another one's",
        )
    offsets = approved(known, connection, found)
    if as_json:
        say_json({"approved": True, "announced": offsets, **_facts(found)})
        return
    for offset in offsets:
        say(f"{found.agency}.key/0/{offset}: 密钥已公布 key announced")
    say(
        f"{found.agency} 已加入 has joined; its connection: casebus connection export --agency {found.agency}"
    )
    if found.witness is not None:
        say(f"witness {found.agency} {found.witness}")
        say("各方当面核对后加入信任策略 everybody's policy takes this line, as the agency says it in person")


def _read(file: Path) -> Request:
    try:
        return Request.read(file.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {file}", found=error.strerror, expected="a request to join") from error


def _facts(request: Request) -> dict[str, object]:
    return {
        "id": str(request.id),
        "agency": request.agency,
        "ledger": request.ledger,
        "contact": request.contact,
        "made_at": request.file.statement["made_at"],
        "keys": {part: identifier.hex() for part, identifier in request.key_ids.items()},
        "witness": None if request.witness is None else str(request.witness),
        "number": request.file.number,
    }


_PARTS = {
    "signing": "签名密钥 signing key",
    "encryption": "加密密钥 encryption key",
    "witness": "见证密钥 witness's key",
}


def _show(request: Request) -> None:
    say(f"机关 agency: {request.agency}; 总线 bus: {request.ledger}")
    say(f"联系 contact: {request.contact}; 制作 made at {request.file.statement['made_at']}")
    for part, identifier in request.key_ids.items():
        say(f"{_PARTS[part]}: {identifier.hex()}")
    say(f"核对号 number to compare: {request.file.number}")


def _witness_key(own: "OwnFolder", agency: str, ledger: str) -> "tuple[VerifierKey, PrivateKey]":
    """Key and name of the agency's witness, made where there is none."""
    from casebus_consumers.witness.key_file import KEY, enrol, key_name, load_key
    from casebus_schemas.evidence.ed25519 import PrivateKey
    from casebus_schemas.evidence.key_file import read_seed

    name = key_name(ledger, agency, mirror=True)
    enrol(own.witness, name)
    key = load_key(own.witness, name, [own.signing_key().public]).key
    return key, PrivateKey(read_seed(own.witness / KEY))
