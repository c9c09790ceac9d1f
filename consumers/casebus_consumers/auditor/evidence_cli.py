"""`casebus ledger prove, bundle, export-tiles` and what verifies them: evidence that can be carried away."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError

from .gossip_cli import app as app
from .ledger_cli import ConnectionFile, DatabaseUrl, Json, database_url_of

if TYPE_CHECKING:
    from casebus_schemas.evidence.trust_policy import TrustPolicy

    from .proof_rows import ProofRows, Suffices
    from .verifier import What

Policy = Annotated[
    Path,
    typer.Option(
        "--policy",
        envvar="CASEBUS_POLICY_FILE",
        help="your tlog-policy: whose checkpoints and witnesses you trust",
    ),
]
MayPolicy = Annotated[
    Path | None, typer.Option("--policy", help="take the newest checkpoint that this tlog-policy accepts")
]
Cosignatures = Annotated[
    int, typer.Option(min=0, help="without --policy: take the newest checkpoint with so many cosignatures")
]
Out = Annotated[Path, typer.Option("--output", "-o", help="the file to write")]


@app.command("prove")
def prove_command(
    event: Annotated[str, typer.Argument(help="topic/partition/offset of its record, or the event's id")],
    output: Out,
    policy: MayPolicy = None,
    cosignatures: Cosignatures = 3,
    without_headers: Annotated[
        bool, typer.Option("--without-headers", help="prove the leaf alone, not what the headers say")
    ] = False,
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
) -> None:
    """Write the proof that an event's record is in the ledger: a tlog-proof, verified without network."""
    from .proving import prove

    with _rows(database_url, connection) as rows:
        suffices = _suffices(policy, cosignatures)
        proof = prove(rows, rows.place_of(event), suffices, headers=not without_headers)
    output.write_bytes(proof.to_bytes())
    place = f"{proof.head.origin} index {proof.index}, epoch {proof.epoch.number}"
    say(f"{output}: {place}; {len(proof.note.signatures) - 1} cosignatures")


@app.command("bundle")
def bundle_command(
    chain: Annotated[str, typer.Argument(help="id of the case's chain")],
    output: Out,
    withhold: Annotated[
        list[str] | None,
        typer.Option(help="an event by id or place whose content is shown by its hash alone; '*' for all"),
    ] = None,
    cover: Annotated[
        Literal["case", "all", "none"],
        typer.Option(
            help="show all leaves of the logs on which the bus speaks of the case, closed where they are of "
            "others, so that no verdict can be left out: from before its first event, from the start, or none"
        ),
    ] = "case",
    policy: MayPolicy = None,
    cosignatures: Cosignatures = 3,
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
) -> None:
    """Write a case's events, the bus's verdicts, the history of keys and all proofs as one file."""
    from .proving import bundle
    from .verified_words import fingerprint_of

    with _rows(database_url, connection) as rows:
        hidden = frozenset(withhold or ())
        made = bundle(rows, chain, _suffices(policy, cosignatures), withhold=hidden, cover=cover)
    raw = made.to_bytes()
    output.write_bytes(raw)
    entries = sum(sum(map(bool, log.headers)) for name, log in made.logs.items() if ".key/" not in name)
    say(f"{output}: {entries} entries as of epoch {made.epoch.index + 1}; SHA-256 {fingerprint_of(raw)}")


@app.command("prove-absence")
def prove_absence_command(
    chain: Annotated[str, typer.Option("--chain", help="id of the case's chain")],
    agency: Annotated[str, typer.Option("--by", help="the agency that was silent")],
    types: Annotated[list[str], typer.Option("--of", help="a type that it did not say; again for more")],
    until: Annotated[str, typer.Option("--until", help="the deadline, as 2022-10-03T00:00:00+08:00")],
    output: Out,
    policy: MayPolicy = None,
    cosignatures: Cosignatures = 3,
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
) -> None:
    """Write the proof that an agency said nothing of some types in a case before a deadline.

    It shows numbers and times of all that the agency said, in whatever case, and opens only this one.
    """
    from casebus_schemas.evidence.absence_check import Claim
    from casebus_schemas.times import parse_utc_text

    from .proving_absence import absence

    try:
        claim = Claim(chain, agency, tuple(types), parse_utc_text(until))
    except ValueError as error:
        raise UsageError(
            "which deadline?", found=until[:60], expected="an RFC 3339 time with offset"
        ) from error
    with _rows(database_url, connection) as rows:
        made = absence(rows, claim, _suffices(policy, cosignatures))
    output.write_bytes(made.to_bytes())
    say(f"{output}: as of epoch {made.epoch.index + 1}; verify-absence says what it shows")


def verify_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="the file that the command of the same name wrote")],
    policy: Policy,
    page: Annotated[
        Path | None, typer.Option("--page", help="of a bundle: write its page for people anew, if all holds")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a file of evidence under your own policy, without network or database."""
    from .verifier import judged, write_page

    what = _WRITTEN_BY[context.command.name or ""]
    raw, trusted = _read(file), _policy(policy)
    if page is not None:
        if what != "bundle":
            raise UsageError("only a bundle has a page", found=f"--page with {context.command.name}")
        write_page(raw, trusted, page)
    found = judged(what, raw, trusted)
    if as_json:
        say_json(found.body())
    else:
        for line in found.lines:
            say(line)
    raise typer.Exit(0 if found.ok else 1)


_WRITTEN_BY: "dict[str, What]" = {
    "verify-proof": "proof",
    "verify-bundle": "bundle",
    "verify-absence": "absence",
}
for _name, _help in (
    ("verify-proof", "Check the proof of one entry under your own policy, offline; exit 1 if it fails."),
    ("verify-bundle", "Check a case's bundle under your own policy, offline; exit 1 if anything fails."),
    (
        "verify-absence",
        "Check a proof of absence under your own policy, offline; exit 0 only if all is proven.",
    ),
):
    app.command(_name, help=_help)(verify_command)


@app.command("verifier")
def verifier_command(output: Out) -> None:
    """Write the verifier of proofs and bundles as one script, for Python with PyNaCl and without casebus."""
    from .single_file import single_file
    from .verified_words import fingerprint_of

    raw = single_file().encode()
    output.write_bytes(raw)
    say(f"{output}: SHA-256 {fingerprint_of(raw)}")


@app.command("export-tiles")
def export_tiles_command(
    folder: Annotated[Path, typer.Argument(help="the folder to write into")],
    policy: MayPolicy = None,
    cosignatures: Cosignatures = 3,
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
) -> None:
    """Write the head log, and each log below it, as C2SP tlog-tiles, which other programs can audit."""
    from .proving import export_tiles

    with _rows(database_url, connection) as rows:
        count = export_tiles(rows, folder, _suffices(policy, cosignatures))
    say(f"{folder}: {count} files")


@contextmanager
def _rows(url: str | None, connection: Path | None) -> "Iterator[ProofRows]":
    from casebus_producers.config import read_connection
    from casebus_services.ledger.database import open_database

    from .ledger_rows import reading
    from .proof_rows import ProofRows

    database = open_database(database_url_of(url, read_connection(connection)), read_only=True)
    try:
        with reading(database) as open_connection:
            yield ProofRows(open_connection)
    finally:
        database.engine.dispose()


def _suffices(policy: Path | None, cosignatures: int) -> "Suffices":
    from .proof_rows import enough_lines

    if policy is None:
        return enough_lines(cosignatures)
    trusted = _policy(policy)
    return lambda note: trusted.judge(note).accepted


def _policy(file: Path) -> "TrustPolicy":
    from casebus_schemas.evidence.trust_policy import TrustPolicy

    return TrustPolicy.parse(_read(file), str(file))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}", found=type(error).__name__, expected="a file") from error
