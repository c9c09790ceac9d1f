"""`casebus door webhooks`: the addresses that the door tells, what waits and what has failed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from casebus_consumers.own.opening import own_file
from casebus_consumers.own.store import OwnStore
from casebus_producers.cli import AgencyOption, ConnectionOption, open_outbox
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.private_files import write_private
from casebus_producers.screen import complain, say, say_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater
from casebus_schemas.times import utc_text

from ..outbound import Outbound
from ..said import Said
from ..settings import DoorSettings
from .signing import for_the_receiver
from .store import DEFAULT_EVENTS, EVENTS, Address, WebhookStore, webhooks_file

app = typer.Typer(help="Addresses of the agency's own systems that the door tells.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="name of the address: small letters, digits, hyphens")]
SecretFile = Annotated[Path, typer.Option(help="where what the receiver verifies with is written, mode 0600")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command()
def add(
    name: Name,
    url: Annotated[str, typer.Argument(help="where it is called by POST")],
    secret_file: SecretFile,
    agency: AgencyOption,
    event: Annotated[
        list[str] | None, typer.Option(help=f"of {', '.join(EVENTS)}; {' and '.join(DEFAULT_EVENTS)}")
    ] = None,
    from_start: Annotated[bool, typer.Option(help="tell all that has come so far, too")] = False,
    ed25519: Annotated[
        bool, typer.Option(help="sign with Ed25519 (v1a) instead of HMAC-SHA256 (v1)")
    ] = False,
    connection: ConnectionOption = None,
) -> None:
    """Tell a system of the agency, from now on, of notices and receipts. Internal addresses: door.yaml."""
    settings = AgencySettings.read(agency, read_connection(connection))
    own = DoorSettings.read(settings.data_dir)
    try:
        Outbound(own.reach, ca_file=own.ca_file).check(url)
    except RetryLater as error:
        complain(error)  # it may come to be known later
    places = (-1, None, -1) if from_start else _ends(settings)
    store = WebhookStore(webhooks_file(settings.data_dir))
    secret = store.add(name, url, event or DEFAULT_EVENTS, asymmetric=ed25519, places=places)
    write_private(secret_file, for_the_receiver(secret) + "\n")
    say(f"{name} 将收到通知 is told from now on; 验签密钥 it verifies with {secret_file}")


@app.command()
def rotate(
    name: Name, secret_file: SecretFile, agency: AgencyOption, connection: ConnectionOption = None
) -> None:
    """Make a new secret; the one before signs beside it for a day."""
    secret = _store(agency, connection).rotate(name)
    write_private(secret_file, for_the_receiver(secret) + "\n")
    say(f"{name} 的新密钥 the new secret of {name}: {secret_file}")


@app.command()
def remove(name: Name, agency: AgencyOption, connection: ConnectionOption = None) -> None:
    """Tell an address no more; what waits for it is dropped."""
    _store(agency, connection).remove(name)
    say(f"{name} 不再通知 {name} is told no more")


@app.command("list")
def listed(agency: AgencyOption, connection: ConnectionOption = None, as_json: Json = False) -> None:
    """Every address: how it stands, how many messages wait, are told, have failed."""
    store = _store(agency, connection)
    found = [_standing(store, one) for one in store.addresses()]
    if as_json:
        say_json(found)
        return
    for one in found:
        counts = f"待通知 {one['waiting']}  已通知 {one['told']}  失败 {one['failed']}"
        say(f"{one['name']:<24} {_STATES[one['state']]:<22} {counts}  {one['url']}")
        if one["problem"]:
            say(f"    自 since {one['failing_since']}: {one['problem']}")


@app.command()
def log(
    name: Name,
    agency: AgencyOption,
    connection: ConnectionOption = None,
    state: Annotated[str | None, typer.Option(help="waiting, told or failed")] = None,
    limit: Annotated[int, typer.Option(help="the last so many", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """The last messages of an address, newest first."""
    if state not in (None, "waiting", "told", "failed"):
        raise typer.BadParameter("waiting, told or failed", param_hint="--state")
    store = _store(agency, connection)
    store.address(name)
    found = [_with_times(one) for one in store.log(name, state, limit)]
    if as_json:
        say_json(found)
        return
    for one in found:
        problem = f"  {one['problem']}" if one["problem"] else ""
        say(f"{_MESSAGES[one['state']]:<14} {one['attempts']:>2}×  {one['queued_at']}  {one['id']}{problem}")


@app.command()
def redrive(
    name: Name,
    agency: AgencyOption,
    connection: ConnectionOption = None,
    id: Annotated[list[str] | None, typer.Option(help="only these messages")] = None,
) -> None:
    """Tell what has failed again, now, and an address that was gone."""
    count = _store(agency, connection).drive_again(name, id or ())
    say(f"重新通知 told again: {count}")


_STATES = {"well": "正常 well", "failing": "不通 failing", "gone": "已撤 gone"}
_MESSAGES = {"waiting": "待通知 waiting", "told": "已通知 told", "failed": "失败 failed"}


def _store(agency: str, connection: Path | None) -> WebhookStore:
    return WebhookStore(webhooks_file(AgencySettings.read(agency, read_connection(connection)).data_dir))


def _ends(settings: AgencySettings) -> tuple[int, str | None, int]:
    """Where inbox and receipts end now."""
    last = OwnStore(own_file(settings)).last_heading()
    box = open_outbox(settings)
    try:
        receipt = Said(box, Catalog.load()).last_receipt()
    finally:
        box.close()
    return (-1, None, receipt) if last is None else (last.seq, last.notice, receipt)


def _standing(store: WebhookStore, one: Address) -> dict[str, Any]:
    return {
        "name": one.name,
        "url": one.url,
        "events": one.events.split(","),
        "state": one.state,
        "failing_since": _time(one.failing_since_ms),
        "told_at": _time(one.told_at_ms),
        "problem": one.problem,
        **store.counts(one.name),
    }


def _with_times(message: dict[str, Any]) -> dict[str, Any]:
    return {
        name.removesuffix("_ms"): _time(value) if name.endswith("_ms") else value
        for name, value in message.items()
    }


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else utc_text(at_ms)
