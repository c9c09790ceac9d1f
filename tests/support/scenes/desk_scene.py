"""A desk without a broker: the agency's own files, fed as those of a door, and browsers of its officers."""

import re
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from httpx2 import Response
from starlette.testclient import TestClient

from casebus_consumers.desk.app import create_app
from casebus_consumers.desk.desk import Desk
from casebus_consumers.desk.officers import Officer
from casebus_schemas.catalogue.catalog import Catalog
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

    def __init__(self, folder: Path, *, simulated_clock: bool = True) -> None:
        super().__init__(folder)
        self.desk = Desk(
            self.door, self.settings(), Catalog.load(), simulated_clock=simulated_clock, hasher=QUICK
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


def token_of(page: Response) -> str:
    """The token of a page's forms."""
    found = _CSRF.search(page.text)
    assert found is not None, page.text[:500]
    return found[1]
