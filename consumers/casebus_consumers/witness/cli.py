"""`casebus keys witness`: makes the key of an agency's witness, or another one in place of one that ended."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.cli import ConnectionOption
from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError


def witness(
    agency: Annotated[str, typer.Option("--agency", "-a", help="whose witness: as agencies.yaml names it")],
    connection: ConnectionOption = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", envvar="CASEBUS_WITNESS_DIR", help="folder of its key and state")
    ] = None,
    ledger: Annotated[str | None, typer.Option(help="the ledger's origin; else that of the policy")] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="a witness that reads no records, instead of a mirror")
    ] = False,
    anew: Annotated[bool, typer.Option("--new", help="another key in place of one that ended")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Make key and empty state of a witness that has none, and say the key for everybody's policy.

    A key whose state was lost, or is older than its own cosignatures, has ended; --new makes another one.
    """
    from casebus_producers.config import read_connection
    from casebus_schemas.agencies import WITNESSES, Members

    from .key_file import enrol, key_name, load_key
    from .settings import read_policy

    if agency not in WITNESSES:
        raise UsageError("no such witness", found=repr(agency), expected="one of " + ", ".join(WITNESSES))
    known = read_connection(connection)
    if folder is None and known is not None:
        folder = known.principal(Members.load().login_of(agency)).witness_dir
    if ledger is None and known is not None and known.policy_file is not None:
        ledger = read_policy(known.policy_file).logs[0].key.name
    if folder is None or ledger is None:
        raise UsageError("where, and of which ledger?", expected="--dir and --ledger, or a connection.json")
    name = key_name(ledger, agency, mirror=not plain)
    made = enrol(folder, name, anew=anew)
    key = load_key(folder, name).key
    if as_json:
        say_json({"witness": agency, "key": str(key), "made": made, "folder": str(folder)})
        return
    say(f"{'新建 made' if made else '已有 there already'}: {folder}")
    say(f"witness {agency} {key}")
    if made:
        say("此行加入各方信任策略 this line belongs into everybody's policy")
