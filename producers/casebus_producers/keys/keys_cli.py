"""`casebus keys`: which keys sign and encrypt for whom, and new keys in their places."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from casebus_schemas.errors import UsageError

from ..cli import AgencyOption, ConnectionOption
from ..screen import say, say_json

app = typer.Typer(help="密钥 Keys that sign and encrypt: seen and exchanged.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command("list")
def list_keys(agency: AgencyOption, connection: ConnectionOption = None, as_json: Json = False) -> None:
    """Every key that was announced: whose, from when to when it signs, and how it ended."""
    from casebus_schemas.admission.keyring import ENCRYPT
    from casebus_schemas.catalogue.catalog import Catalog

    from ..config import KafkaLogin, read_connection
    from ..connecting import quiet_kafka
    from .key_change import key_line
    from .keys_reader import read_keyring

    quiet_kafka()
    keyring = read_keyring(KafkaLogin.read(agency, read_connection(connection)), Catalog.load())
    for entry in keyring.entries.values():
        line = key_line(entry)
        if as_json:
            say_json(line)
        else:
            term = f"{line['not_before'] or '–'} … {line['not_after'] or '–'}"
            use = "encrypts" if entry.role == ENCRYPT else "signs"
            state = f"{line['ended']} {line['ended_at']}" if line["ended"] else use
            if (epoch := line["compromised_since_epoch"]) is not None or line["compromised_since"]:
                when = line["compromised_since"] if epoch is None else f"第 {epoch} 期 epoch {epoch}"
                state += f"  失信始于 compromised since {when}"
            by = "  运营者重新接纳 readmitted by the operator" if line["readmitted"] else ""
            say(f"{line['holder']:<8} {line['key_id'][:16]}  {term}  {state}{by}")


@app.command("rotate")
def rotate(
    agency: AgencyOption,
    connection: ConnectionOption = None,
    not_after: Annotated[
        str | None, typer.Option(help="day or time from which the new key signs no more")
    ] = None,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="leave the old key valid: other machines still sign with it")
    ] = False,
    algorithm: Annotated[
        str | None, typer.Option(help="of the new key: ed25519 or sm2; else that of the one that signs")
    ] = None,
    timeout: Annotated[float, typer.Option(help="seconds to wait in all")] = 60.0,
    as_json: Json = False,
) -> None:
    """Announce a new key, put it in the place of the one that signs, retire the old one.

    What waits in the outbox goes out under the old key first. Broken off, the same command goes on where it
    stopped. The old key file stays beside the new one, under a name of its own.
    """
    from casebus_schemas.times import read_time

    from ..config import AgencySettings, read_connection
    from ..connecting import quiet_kafka, within
    from .key_change import KeyChange

    quiet_kafka()
    settings = AgencySettings.read(agency, read_connection(connection))
    ends = _moment(not_after, read_time) if not_after else None
    with within(timeout):
        done = KeyChange(settings, timeout, algorithm).run(ends, keep_old=keep_old)
    if as_json:
        say_json(done)
    else:
        say(f"新密钥 new key {done['new'][:16]}… signs from now on: {settings.signing_key_file}")
        state = "stays valid" if keep_old else "is retired"
        say(f"旧密钥 old key {done['old'][:16]}… {state}: {done['old_file']}")


@app.command("encryption")
def encryption(
    agency: AgencyOption,
    connection: ConnectionOption = None,
    not_after: Annotated[
        str | None, typer.Option(help="day or time from which nothing is sealed for the new key")
    ] = None,
    timeout: Annotated[float, typer.Option(help="seconds to wait in all")] = 60.0,
    as_json: Json = False,
) -> None:
    """Announce a new key for which others seal personal data, in the place of the one before.

    The file of these keys grows by a line: what was sealed for an older key stays readable. Broken off, the
    same command goes on where it stopped.
    """
    from casebus_schemas.times import read_time

    from ..config import AgencySettings, read_connection
    from ..connecting import quiet_kafka, within
    from ..sealing.encryption_change import EncryptionChange

    quiet_kafka()
    settings = AgencySettings.read(agency, read_connection(connection))
    ends = _moment(not_after, read_time) if not_after else None
    with within(timeout):
        done = EncryptionChange(settings, timeout).run(ends)
    if as_json:
        say_json(done)
        return
    say(f"新加密密钥 new encryption key {done['new'][:16]}…: {done['file']}")
    if done["old"] is not None:
        say(f"旧密钥 old key {done['old'][:16]}… is replaced, and stays in the file to read with")


@app.command("destroy")
def destroy(
    chain: Annotated[str, typer.Argument(help="the chain id of the case")],
    agency: AgencyOption,
    reasons: Annotated[str, typer.Option(help="why, in words")],
    to: Annotated[list[str] | None, typer.Option(help="who is told of it (repeatable)")] = None,
    connection: ConnectionOption = None,
    timeout: Annotated[float, typer.Option(help="seconds to wait in all")] = 60.0,
) -> None:
    """Destroy the agency's data key of a case, and say so (retention.shredded): a line for each receipt.

    What the agency has sealed in that case it can open and grant no more; who was told opens it still. Given
    again, the same command only says again what it has said. A backup of the key is yours to destroy.
    """
    from casebus_schemas.catalogue.catalog import Catalog
    from casebus_schemas.law.calendar import beijing_day

    from ..cli import open_outbox
    from ..config import AgencySettings, read_connection
    from ..connecting import quiet_kafka
    from ..outbox.publication import Publication
    from ..sealing.data_keys import DataKeys
    from ..sealing.shredding import shredded

    quiet_kafka()
    settings = AgencySettings.read(agency, read_connection(connection))
    outbox = open_outbox(settings)
    try:
        name, day = DataKeys(settings.data_keys_dir).destroy(chain, beijing_day(datetime.now(UTC)))
        event = shredded(agency, chain, name, day, reasons, to or [])
        publication = Publication(settings, outbox, Catalog.load())
        raise typer.Exit(publication.say([(1, event)], None, timeout))
    finally:
        outbox.close()


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="the key's id, or its beginning")],
    agency: AgencyOption,
    reason: Annotated[str, typer.Option(help="why, for everybody to read")],
    since: Annotated[
        str | None, typer.Option(help="day or time from which what it signed is not to be trusted")
    ] = None,
    since_epoch: Annotated[
        int | None,
        typer.Option(help="the last epoch of the ledger in which it was trusted; else by --since", min=0),
    ] = None,
    connection: ConnectionOption = None,
    timeout: Annotated[float, typer.Option(help="seconds to wait in all")] = 60.0,
    as_json: Json = False,
) -> None:
    """End a key that got out: nothing that it signs from now on is admitted.

    What it signed after the epoch or time given is shown as doubtful where signatures are read, and stays.
    Signed by the key in its place; that may be the very key: then `casebus keys rotate` needs the operator.
    """
    from casebus_schemas.times import read_time

    from ..config import AgencySettings, read_connection
    from ..connecting import quiet_kafka, within
    from .key_change import KeyChange

    quiet_kafka()
    settings = AgencySettings.read(agency, read_connection(connection))
    moment = None if since is None else read_time(since)
    with within(timeout):
        done = KeyChange(settings, timeout).revoke(key_id.lower(), moment, reason, since_epoch)
    if as_json:
        say_json(done)
    else:
        say(f"已吊销 revoked: {done['key_id']}")


def _moment(text: str, read: Any) -> datetime:
    moment: datetime = read(text)
    if moment.timestamp() <= datetime.now().timestamp():
        raise UsageError("the new key would have ended already", found=text, expected="a time to come")
    return moment
