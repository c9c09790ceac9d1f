"""Runs witnesses: one for an agency, or all whose keys lie here; keys, states and logins stay apart."""

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from casebus_consumers.witness.http import METHODS, MOST_BYTES, create_app
from casebus_consumers.witness.key_file import ENDED, KEY
from casebus_consumers.witness.program import WitnessProgram
from casebus_consumers.witness.settings import WitnessSettings
from casebus_producers.config import read_connection
from casebus_producers.connecting import quiet_kafka
from casebus_schemas.agencies import WITNESSES, Members
from casebus_schemas.connection import Connection
from casebus_schemas.errors import StopService, UsageError
from casebus_services.metrics.named import gauge

log = logging.getLogger(__name__)

_SIZE = gauge("casebus_witness_cosigned_size")
_AT = gauge("casebus_witness_cosigned_timestamp_seconds")
_STOPPED = gauge("casebus_witness_stopped")

BEAT_S = 1.0
STOP_TIMEOUT_S = 10.0


def serve(witnesses: Sequence[str]) -> None:
    """Blocks until SIGTERM. Raises StopService once every witness has ended, UsageError without any."""
    quiet_kafka()
    connection = read_connection(None)
    whose = _whose(witnesses, connection)
    programs = [WitnessProgram(WitnessSettings.read(name, connection)) for name in whose]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    threads = [
        threading.Thread(target=program.run, args=(stop,), name=program.settings.witness, daemon=True)
        for program in programs
    ]
    for thread in (*threads, *_servers(programs)):
        thread.start()
    folder = os.environ.get("CASEBUS_DATA_DIR")
    while not stop.wait(BEAT_S) and any(thread.is_alive() for thread in threads):
        standing = [program.standing() for program in programs]
        _measure(standing)
        if folder is not None:
            _beat(Path(folder), standing)
    for thread in threads:
        thread.join(STOP_TIMEOUT_S)
    ended = [str(program.ended) for program in programs if program.ended is not None]
    if ended and not stop.is_set():
        raise StopService("; ".join(ended))


def _whose(witnesses: Sequence[str], connection: Connection | None) -> Sequence[str]:
    if witnesses:
        return witnesses
    members = Members.load()
    found = (
        []
        if connection is None
        else [
            name
            for name in WITNESSES
            if (entry := connection.principals.get(members.login_of(name))) is not None
            and entry.witness_dir is not None
            and any((entry.witness_dir / file).exists() for file in (KEY, ENDED))
        ]
    )
    if not found:
        raise UsageError(
            "whose witness?",
            found="no key of one in connection.json",
            expected="--agency " + "|".join(WITNESSES),
        )
    return found


def _servers(programs: Sequence[WitnessProgram]) -> list[threading.Thread]:
    """A thread for each witness that answers by HTTP."""
    return [
        threading.Thread(target=_serve_http, args=(program, program.settings.url), daemon=True)
        for program in programs
        if program.settings.url is not None
    ]


def _serve_http(program: WitnessProgram, url: str) -> None:
    import uvicorn

    from casebus_services.web_guard import MOST_CONNECTIONS, Guarded, listen_at, web_hosts

    address = urlsplit(url)
    hosts = web_hosts(url, os.environ.get("CASEBUS_WEB_HOSTS", ""))
    app = Guarded(
        create_app(program, program.settings.ledger),
        server="witness",
        hosts=hosts,
        methods=METHODS,
        most_bytes=MOST_BYTES,
    )
    config = uvicorn.Config(
        app,
        host=listen_at(url),
        port=address.port or 80,
        log_config=None,
        log_level="warning",
        access_log=False,
        limit_concurrency=MOST_CONNECTIONS,
        server_header=False,
        lifespan="off",
        ws="none",
    )
    server = uvicorn.Server(config)
    server.run()


def _measure(standing: Sequence[Mapping[str, Any]]) -> None:
    for one in standing:
        name = one["witness"]
        _STOPPED.labels(witness=name).set(one["stopped"] is not None)
        if one["size"] is not None:
            _SIZE.labels(witness=name).set(one["size"])
            _AT.labels(witness=name).set(one["cosigned_at"])


def _beat(folder: Path, standing: Sequence[Mapping[str, Any]]) -> None:
    """The sign of life that doctor and page read, as the services write theirs."""
    state: dict[str, Any] = {
        "at": time.time(),
        "pid": os.getpid(),
        "stopped": {one["witness"]: one["stopped"] for one in standing if one["stopped"]},
        "witnesses": list(standing),
    }
    fresh = folder / "heartbeat.new"
    try:
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(folder / "heartbeat.json")
    except OSError as error:
        log.warning("no sign of life can be written: %s", error)
