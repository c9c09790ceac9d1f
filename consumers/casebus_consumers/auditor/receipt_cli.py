"""`casebus ledger prove-consistency, receipt-key`: that the ledger only grew; the key of its receipts."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.screen import say

from .evidence_cli import (
    Form,
    MayPolicy,
    Out,
    Policy,
    PublicKeyFile,
    ReceiptKeyFile,
    judge_file,
    ledger_rows,
    receipt_signer,
    which_suffices,
)
from .evidence_cli import app as app
from .ledger_cli import ConnectionFile, DatabaseUrl, Json


@app.command("prove-consistency")
def prove_consistency(
    since: Annotated[int, typer.Option("--from", min=1, help="size of the older checkpoint")],
    output: Out,
    form: Annotated[
        Form, typer.Option(help="tlog-proof: the text of C2SP's add-checkpoint; cose: a receipt of RFC 9942")
    ] = "tlog-proof",
    signing_key: ReceiptKeyFile = None,
    policy: MayPolicy = None,
    cosignatures: Annotated[
        int, typer.Option(min=0, help="without --policy: take the newest checkpoint with so many")
    ] = 3,
    database_url: DatabaseUrl = None,
    connection: ConnectionFile = None,
) -> None:
    """Write the proof that the ledger has only grown since an older checkpoint that somebody has kept."""
    from .proving import prove_growth

    signer = receipt_signer(signing_key, connection) if form == "cose" else None
    with ledger_rows(database_url, connection) as rows:
        proof = prove_growth(rows, since, which_suffices(policy, cosignatures))
        sealed_ms = rows.epoch(size := proof.new_size).sealed_at_ms
    raw = (
        proof.to_bytes() if signer is None else signer.consistency(proof.note, since, proof.proof, sealed_ms)
    )
    output.write_bytes(raw)
    say(f"{output}: size {size} extends {since}; {len(proof.note.signatures) - 1} cosignatures")


@app.command("verify-consistency")
def verify_consistency(
    file: Annotated[Path, typer.Argument(help="what `ledger prove-consistency` wrote")],
    since: Annotated[Path, typer.Option("--since", help="the older checkpoint, as you have kept it")],
    policy: Policy,
    key: PublicKeyFile = None,
    as_json: Json = False,
) -> None:
    """Check that the ledger has only grown since a checkpoint that you kept, offline; exit 1 if not."""
    judge_file("consistency", file, policy, as_json=as_json, key=key, since=since)


@app.command("receipt-key")
def receipt_key(
    output: Out,
    signing_key: ReceiptKeyFile = None,
    connection: ConnectionFile = None,
) -> None:
    """Write the public key of the ledger's COSE receipts as PEM, for readers; it stands on bus.key, too."""
    key = receipt_signer(signing_key, connection).key
    output.write_text(str(key), encoding="ascii")
    say(f"{output}: key id {key.key_id.hex()}")
