"""A desk without a broker: the agency's own files, fed as those of a door, and browsers of its officers."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from httpx2 import Response
from starlette.testclient import TestClient

from casebus_consumers.desk.app import create_app
from casebus_consumers.desk.desk import Desk
from casebus_consumers.desk.evidence import Sources
from casebus_consumers.desk.officers import Officer
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RefusalCode
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.signing import SigningKey
from support.cases.chains import amount, at, suspects
from support.events import receipts
from support.events.signed_events import Speaker, chain, envelope, seed_of
from support.scenes.door_scene import DoorScene

SITE = "https://testserver"
PASSWORDS = {role: f"password-of-{role}" for role in ("liaison", "head", "auditor", "operator")}
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Browser(TestClient):
    """A person's browser: keeps cookies, follows nothing by itself."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            app,
            base_url=SITE,
            headers={"accept-language": "zh-CN"},
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def sign_in(self, name: str, password: str | None = None, **more: str) -> Response:
        """Fills in the form to sign in."""
        csrf = token_of(self.get("/sign-in"))
        fields = {"csrf": csrf, "name": name, "password": password or PASSWORDS[name], **more}
        return self.post("/sign-in", data=fields)

    def submit(self, path: str, page: str | None = None, **fields: str) -> Response:
        """Sends a form of a page with the token that stands there."""
        return self.post(path, data={"csrf": token_of(self.get(page or path)), **fields})

    def english(self) -> None:
        """Chooses English."""
        self.get("/language/en")


class DeskScene(DoorScene):
    """The regulator's desk, with an officer of each role."""

    def __init__(self, folder: Path, *, simulated_clock: bool = True, ledger: Sources | None = None) -> None:
        super().__init__(folder)
        self.desk = Desk(
            self.door,
            self.settings(),
            Catalog.load(),
            simulated_clock=simulated_clock,
            hasher=QUICK,
            ledger=ledger,
        )
        self.officers: dict[str, Officer] = {
            role: self.desk.officers.add(role, password, role, shown=f"Officer {role}")
            for role, password in PASSWORDS.items()
        }
        self.desk_app = create_app(self.desk, hosts=frozenset({"testserver"}))

    def browser(self, role: str | None = "liaison") -> Browser:
        """A browser, signed in unless there is no role."""
        found = Browser(self.desk_app)
        if role is not None:
            assert found.sign_in(role).status_code == 303
        return found

    def announce(self, when: str = "2022-10-01T08:00") -> None:
        """The bus tells the regulator of all findings and running duties that its own view gives."""
        bus = Speaker("bus", key=SigningKey(seed_of("router")), producer="reconciler-1.1")
        now = at(when)
        for case in self.desk.glance().cases.values():
            told = {"to": ["csrc", "mps"], "local_refs": [], "occurred_at": now}
            findings = [_finding(one) for one in case.findings]
            if findings:
                said = {"envelope": envelope(**told), "findings": findings}
                self.hear(bus.say("finding.opened", said, case.chain), now)
            if case.duties:
                said = {"envelope": envelope(**told), "obligations": [_duty(one) for one in case.duties]}
                self.hear(bus.say("obligation.announced", said, case.chain), now)
        self.arrive()

    def refuse(self, code: RefusalCode = "unknown-key", detail: str = "no key of that id") -> None:
        """The bus has refused a referral in a case of which nobody heard: a dead letter of the agency."""
        data = {
            "envelope": envelope(to=["mps"], occurred_at=at("2022-09-28")),
            "suspects": suspects("王小二"),
            "charges": [{"suspect": "S1", "article": "180(4)"}],
            "amounts": [amount("illegal_gain", "1.00", "2009-04-01", "2013-02-28")],
        }
        record = self.queue("referral.submitted", data, chain(9))
        self.keep(receipts.refused(record, at("2022-09-28T11:00"), code, detail))

    def said(self, type: str) -> list[dict[str, Any]]:
        """The data of the events of a type that the agency said, in their order."""
        with self.outbox.reading() as connection:
            rows = connection.execute(
                "SELECT payload FROM outbox WHERE type = ? ORDER BY position", (type,)
            ).fetchall()
        return [decode(self.catalog, bytes(row[0]))[1] for row in rows]


def _finding(one: dict[str, Any]) -> dict[str, Any]:
    """A finding of a view as the bus announces it."""
    accounts = [
        {
            "agency": account["agency"],
            "value": json.dumps(account["value"]),
            "event": bytes.fromhex(account["event"]),
        }
        for account in one["accounts"]
    ]
    names = ("rule", "class", "severity", "state", "law", "because", "suggestion")
    opened = datetime.fromisoformat(one["opened_at"])
    return {
        **{name: one[name] for name in names},
        "id": UUID(one["id"]),
        "chain": UUID(one["chain"]),
        "accounts": accounts,
        "opened_at": opened,
    }


def _duty(one: dict[str, Any]) -> dict[str, Any]:
    """A duty of a view as the bus announces it."""
    moment = datetime.fromisoformat
    met = one["met"] and {name: moment(value) for name, value in one["met"].items()}
    ours = ("announced", "from", "latest_possible", "verified")  # what readers add
    return {
        **{name: value for name, value in one.items() if name not in ours},
        "id": UUID(one["id"]),
        "chain": UUID(one["chain"]),
        "cause": bytes.fromhex(one["cause"]),
        "readings": [
            {**{k: v for k, v in reading.items() if k not in ours}, "due": moment(reading["due"])}
            for reading in one["readings"]
        ],
        "ladder": [{**rung, "due_latest": moment(rung["due_latest"])} for rung in one["ladder"]],
        "met": met,
        **{name: moment(one[name]) for name in ("started_at", "due_earliest", "due_latest")},
        **{name: one[name] and moment(one[name]) for name in ("waits_until", "stands_since")},
    }


def token_of(page: Response) -> str:
    """The token of a page's forms."""
    found = _CSRF.search(page.text)
    assert found is not None, page.text[:500]
    return found[1]
