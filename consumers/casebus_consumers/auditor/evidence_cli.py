"""`casebus ledger prove, bundle, export-tiles` and what verifies them: evidence that can be carried away."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError

from .gossip_cli import app as app
from .ledger_cli import ConnectionFile, DatabaseUrl, Json, database_url_of

if TYPE_CHECKING:
    from casebus_schemas.evidence.cose_receipt import ReceiptSigner
    from casebus_schemas.evidence.trust_policy import TrustPolicy

    from .proof_rows import ProofRows, Suffices

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
Form = Literal["tlog-proof", "cose"]
ReceiptKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--signing-key", help="the ledger's receipt key (64 hex digits, 0600); else connection.json's"
    ),
]
PublicKeyFile = Annotated[
    Path | None, typer.Option("--key", help="of a COSE receipt: the ledger's public receipt key, a PEM file")
]

GenesisFile = Annotated[
    Path | None,
    typer.Option("--genesis", help="your copy of the genesis file: with which keys the bus began"),
]


@app.command("prove")
def prove_command(
    event: Annotated[str, typer.Argument(help="topic/partition/offset of its record, or the event's id")],
    output: Out,
    form: Annotated[
        Form, typer.Option(help="tlog-proof (C2SP), or cose: a receipt of RFC 9942")
    ] = "tlog-proof",
    signing_key: ReceiptKeyFile = None,
    leaf: Annotated[
        Path | None, typer.Option("--leaf", help="also write the leaf's bytes, which other programs hash")
    ] = None,
    policy: MayPolicy = None,
    cosignatures: Cosignatures = 3,
    checkpoint: Annotated[
        Path | None, typer.Option(help="prove up to this one, kept as a file, such as a stamped one")
    ] = None,
    without_headers: Annotated[
        bool, typer.Option("--without-headers", help="prove the leaf alone, not what the headers say")
    ] = False,
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
) -> None:
    """Write the proof that an event's record is in the ledger: a tlog-proof, verified without network.

    A COSE receipt holds the same proof, and is signed with the ledger's receipt key, which its operator has.
    """
    from casebus_schemas.evidence.signed_note import SignedNote

    from .proving import prove, up_to

    signer = receipt_signer(signing_key, connection) if form == "cose" else None
    with ledger_rows(database_url, connection) as rows:
        suffices = which_suffices(policy, cosignatures)
        kept = None if checkpoint is None else read_file(checkpoint)
        if kept is not None:
            suffices = up_to(kept)
        path, headers = signer is not None, not without_headers
        proof = prove(rows, rows.place_of(event), suffices, headers=headers, path=path)
        if kept is not None:
            proof = replace(proof, note=SignedNote.parse(kept))
    output.write_bytes(proof.to_bytes() if signer is None else signer.inclusion(proof))
    if leaf is not None:
        leaf.write_bytes(proof.leaf)
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

    with ledger_rows(database_url, connection) as rows:
        hidden = frozenset(withhold or ())
        made = bundle(rows, chain, which_suffices(policy, cosignatures), withhold=hidden, cover=cover)
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
    with ledger_rows(database_url, connection) as rows:
        made = absence(rows, claim, which_suffices(policy, cosignatures))
    output.write_bytes(made.to_bytes())
    say(f"{output}: as of epoch {made.epoch.index + 1}; verify-absence says what it shows")


@app.command("verify-absence")
def verify_absence(
    file: Annotated[Path, typer.Argument(help="a proof that `ledger prove-absence` wrote")],
    policy: Policy,
    genesis: GenesisFile = None,
    as_json: Json = False,
) -> None:
    """Check a proof of absence under your own policy, offline; exit 0 only if all of it is proven."""
    judge_file("absence", file, policy, as_json=as_json, genesis=genesis)


@app.command("verify-proof")
def verify_proof(
    file: Annotated[Path, typer.Argument(help="a proof or COSE receipt that `ledger prove` wrote")],
    policy: Policy,
    key: PublicKeyFile = None,
    as_json: Json = False,
) -> None:
    """Check a proof of one entry under your own policy, without network or database; exit 1 if it fails."""
    judge_file("proof", file, policy, as_json=as_json, key=key)


@app.command("verify-bundle")
def verify_bundle(
    file: Annotated[Path, typer.Argument(help="a bundle that `ledger bundle` wrote")],
    policy: Policy,
    genesis: GenesisFile = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="write the page for people anew, if all holds")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a case's bundle under your own policy, without network or database; exit 1 if anything fails."""
    if page is not None:
        from .verifier import write_page

        write_page(read_file(file), read_policy(policy), page)
    judge_file("bundle", file, policy, as_json=as_json, genesis=genesis)


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

    with ledger_rows(database_url, connection) as rows:
        count = export_tiles(rows, folder, which_suffices(policy, cosignatures))
    say(f"{folder}: {count} files")


@contextmanager
def ledger_rows(url: str | None, connection: Path | None) -> "Iterator[ProofRows]":
    """The tables, read as of one instant."""
    from casebus_producers.config import read_connection
    from casebus_services.ledger.ledger_database import open_database

    from .ledger_rows import reading
    from .proof_rows import ProofRows

    database = open_database(database_url_of(url, read_connection(connection)), read_only=True)
    try:
        with reading(database) as open_connection:
            yield ProofRows(open_connection)
    finally:
        database.engine.dispose()


def which_suffices(policy: Path | None, cosignatures: int) -> "Suffices":
    """Which checkpoint is good enough to prove with."""
    from .proof_rows import enough_lines

    if policy is None:
        return enough_lines(cosignatures)
    trusted = read_policy(policy)
    return lambda note: trusted.judge(note).accepted


def read_policy(file: Path) -> "TrustPolicy":
    """The reader's policy. Raises UsageError."""
    from casebus_schemas.evidence.trust_policy import TrustPolicy

    return TrustPolicy.parse(read_file(file), str(file))


def read_file(file: Path) -> bytes:
    """The bytes of a file. Raises UsageError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}", found=type(error).__name__, expected="a file") from error


def receipt_signer(file: Path | None, connection: Path | None) -> "ReceiptSigner":
    """The ledger's signer of receipts. Raises UsageError where its key is not at hand."""
    from casebus_producers.config import read_connection
    from casebus_schemas.evidence.cose_receipt import ReceiptSigner
    from casebus_schemas.evidence.key_file import read_seed

    if file is None:
        known = read_connection(connection)
        file = None if known is None else known.ledger_receipt_key_file
    if file is None:
        raise UsageError(
            "who signs the receipt?",
            found="no receipt key",
            expected="--signing-key FILE, or the connection.json of the ledger's operator",
            remedy="a tlog-proof needs no signature but the checkpoint's: leave out --form cose",
        )
    return ReceiptSigner(read_seed(file))


def judge_file(
    what: str,
    file: Path,
    policy: Path,
    *,
    as_json: bool,
    key: Path | None = None,
    since: Path | None = None,
    genesis: Path | None = None,
) -> None:
    """Judges a file as the verifier does, shows the result, and ends the command."""
    from casebus_schemas.evidence.genesis import read_genesis

    from .verifier import Given, judged, read_key

    given = Given(
        read_policy(policy),
        None if key is None else read_key(read_file(key), str(key)),
        None if since is None else read_file(since),
        None if genesis is None else read_genesis(genesis),
    )
    found = judged(what, read_file(file), given)
    if as_json:
        say_json(found.body())
    else:
        for line in found.lines:
            say(line)
    raise typer.Exit(0 if found.ok else 1)
