"""A notifier on a clock of the test, between an agency's files and a mail server on loopback."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from casebus_consumers.notifier.notifier import Notifier
from casebus_consumers.notifier.settings import MailServer as Settings
from casebus_consumers.notifier.settings import NotifySettings
from casebus_consumers.notifier.store import NotifyStore, notify_file
from casebus_consumers.own.store import NOTICE, Entry, OwnStore
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import to_moment
from support.cases.chains import at
from support.events.signed_events import chain
from support.scenes.mail_server import MailServer

LIAISON, HEAD, PROCURATORATE = "liaison@csrc.example", "head@csrc.example", "duty@spp.example"
TERM = "3f0b8a52-0000-7000-8000-000000000001"
WORKDAY = "2022-09-28T10:00"
"""A Wednesday."""


class NotifierScene:
    """The regulator's; `duties` are the terms that stand now."""

    def __init__(self, folder: Path, server: MailServer, **settings: Any) -> None:
        self.folder = folder
        self.server = server
        self.now: datetime = at(WORKDAY)
        self.heard = OwnStore(folder / "own.db")
        self.duties: list[dict[str, Any]] = []
        self.settings = replace(
            NotifySettings(
                Settings("127.0.0.1", server.port, "none"),
                "casebus@csrc.example",
                liaison=(LIAISON,),
                head=(HEAD,),
                procuratorate=(PROCURATORATE,),
                notices="at-once",
                desk="https://desk.csrc.example",
            ),
            **settings,
        )
        self.store = NotifyStore(notify_file(folder), self._clock_ms)
        self.restart()
        self.look()  # from here on it tells

    def restart(self) -> None:
        """Another process begins on the same files."""
        self.notifier = Notifier(
            "mail",
            Event(),
            notify_file(self.folder),
            self.settings,
            "csrc",
            self.heard,
            self._duties,
            lambda: self.now,
            Catalog.load(),
            clock_ms=self._clock_ms,
        )

    def look(self, *, after: timedelta = timedelta()) -> None:
        """Time passes, and it looks once."""
        self.now += after
        self.notifier.step(self.store)

    def hear(self, *numbers: int, body: str = "{}", type: str = "referral.filed") -> None:
        """Notices of the police arrive at these numbers of the inbox."""
        when = to_moment(self.now)
        entries = [
            Entry(number, NOTICE, notice_id(number), chain(1), "mps", type, b"d" * 32, when, body)
            for number in numbers
        ]
        self.heard.add("inbox.csrc", entries, max(numbers) + 1)

    def told(self) -> list[str]:
        """What the liaison officer's mails say of notices, a path each."""
        lines = "\n".join(self.server.bodies(LIAISON)).splitlines()
        return [line.strip().removeprefix("https://desk.csrc.example") for line in lines if "/inbox/" in line]

    def _clock_ms(self) -> int:
        return to_moment(self.now)

    def _duties(self, _now: datetime) -> Iterable[dict[str, Any]]:
        return json.loads(json.dumps(self.duties))  # type: ignore[no-any-return]  # what was put in


def notice_id(number: int) -> str:
    """Id of a notice."""
    return f"0190163d-0000-7000-8000-{number:012d}"


def duty(state: str, first: str, last: str, **changes: Any) -> dict[str, Any]:
    """A term of the regulator as its own view gives it."""
    return {
        "id": TERM,
        "rule": "DL06",
        "state": state,
        "owed_by": "csrc",
        "owed_to": ["mps"],
        "right": False,
        "met": None,
        "verified": True,
        "started_at": at("2022-09-20").isoformat(),
        "due_earliest": at(first).isoformat(),
        "latest_possible": at(last).isoformat(),
        **changes,
    }
