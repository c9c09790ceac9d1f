"""A door with TLS: who shows a certificate of the agency's own authority comes in as its client, no other."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from casebus_consumers.door.clients import add_certified, client_names, remove_client
from casebus_consumers.door.rates import Rates
from casebus_consumers.door.tls import DoorTls, names_in
from casebus_deploy.embedded.ports import free_ports
from casebus_deploy.stack.door_process import web_config
from casebus_schemas.errors import UsageError
from support.scenes.certificates import Authority
from support.scenes.door_scene import DoorScene

NAME = "ledger.csrc.example"


class Served:
    """A door that answers by HTTPS on loopback, and the certificates that are shown to it."""

    def __init__(self, folder: Path, clients: str) -> None:
        (folder / "door").mkdir()
        (folder / "systems").mkdir()
        (folder / "others").mkdir()
        self.folder = folder
        Authority(folder / "door").issue("door")
        systems = Authority(folder / "systems")
        systems.issue("ledger", also=NAME)
        systems.issue("ended", also=NAME, ended=True)
        systems.issue("unknown", also="else.csrc.example")
        Authority(folder / "others").issue("ledger", also=NAME)
        self.scene = DoorScene(folder)
        tls = {
            "certificate": "door/door.pem",
            "key": "door/door.key",
            "client_authority": "systems/ca.pem",
            "clients": clients,
        }
        (port,) = free_ports(1)
        config = web_config(
            self.scene.door,
            self.scene.clients,
            f"https://127.0.0.1:{port}",
            DoorTls.read("door.yaml: tls", tls, folder),
        )
        self.port = port
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.01)

    def close(self) -> None:
        """Ends it."""
        self.server.should_exit = True
        self._thread.join(10)
        self.scene.close()

    def ask(
        self, shown: str | None = None, path: str = "/v1/cases", key: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and body of an answer to who shows this certificate, or this bearer key."""
        context = ssl.create_default_context(cafile=str(self.folder / "door" / "ca.pem"))
        if shown is not None:
            context.load_cert_chain(self.folder / f"{shown}.pem", self.folder / f"{shown}.key")
        connection = HTTPSConnection("127.0.0.1", self.port, context=context, timeout=10)
        try:
            connection.request("GET", path, headers={"authorization": f"Bearer {key}"} if key else {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A door whose systems show a certificate or a key."""
    found = Served(tmp_path_factory.mktemp("optional"), "optional")
    add_certified(found.folder, "ledger", f"DNS:{NAME}")
    found.scene.door_clients_look_again()
    yield found
    found.close()


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A door to which every system shows a certificate."""
    found = Served(tmp_path_factory.mktemp("required"), "required")
    add_certified(found.folder, "ledger", f"DNS:{NAME}")
    found.scene.door_clients_look_again()
    yield found
    found.close()


def test_a_certificate_is_a_clients_identity(served: Served) -> None:
    """Without any key the system whose certificate is known comes in."""
    assert served.ask("systems/ledger") == (200, {"cases": []})


def test_a_key_is_enough_where_certificates_are_optional(served: Served) -> None:
    """A system without a certificate comes in by its key."""
    assert served.ask(key=served.scene.key) == (200, {"cases": []})


@pytest.mark.parametrize("shown", ["others/ledger", "systems/ended"])
@pytest.mark.parametrize("door", ["served", "strict"])
def test_a_false_certificate_ends_the_connection(
    request: pytest.FixtureRequest, door: str, shown: str
) -> None:
    """One of another authority, or whose time is over, is not answered at all, whatever key comes with it."""
    found: Served = request.getfixturevalue(door)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        found.ask(shown, key=found.scene.key)


def test_who_shows_nothing_is_refused(served: Served, strict: Served) -> None:
    """Where certificates are required there is no connection without one; else 401."""
    assert served.ask()[0] == 401
    with pytest.raises((ssl.SSLError, ConnectionError)):
        strict.ask(key=strict.scene.key)


def test_a_good_certificate_of_nobody_is_refused(served: Served, strict: Served) -> None:
    """The authority's word that a name is right does not make its holder a client."""
    for door in (served, strict):
        status, problem = door.ask("systems/unknown")
        assert (status, problem["title_zh"]) == (401, "未提供本门的客户端密钥")


def test_a_false_key_is_refused_whatever_certificate_comes_with_it(served: Served) -> None:
    """Who names a key is judged by it."""
    assert served.ask("systems/ledger", key="cbk_" + "x" * 43)[0] == 401


def test_a_client_that_is_removed_comes_in_no_more(strict: Served) -> None:
    """Its certificate is as good as before, and opens nothing."""
    assert strict.ask("systems/ledger")[0] == 200
    remove_client(strict.folder, "ledger")
    strict.scene.door_clients_look_again()
    assert strict.ask("systems/ledger")[0] == 401
    add_certified(strict.folder, "ledger", f"DNS:{NAME}")
    strict.scene.door_clients_look_again()


def test_the_rate_is_that_of_the_client(tmp_path: Path) -> None:
    """Two connections with one certificate are one client."""
    found = Served(tmp_path, "required")
    try:
        add_certified(found.folder, "ledger", f"DNS:{NAME}")
        found.scene.door_clients_look_again()
        web = found.scene.limited(Rates(0.001, 1))
        found.server.config.loaded_app = web
        statuses = [found.ask("systems/ledger")[0] for _ in range(2)]
    finally:
        found.close()
    assert statuses == [200, 429]


def test_a_certificate_names_one_client(tmp_path: Path) -> None:
    """A name is given once; what is no name is told; a client has one way in."""
    add_certified(tmp_path, "ledger", f"DNS:{NAME}")
    with pytest.raises(UsageError, match="a client has that certificate"):
        add_certified(tmp_path, "other", f"DNS:{NAME}")
    with pytest.raises(UsageError, match="a client of that name is known"):
        add_certified(tmp_path, "ledger", "DNS:else")
    for wrong in ("ledger", "IP:10.0.0.1", "DNS:", "DNS:a\nb", "URI:" + "x" * 255):
        with pytest.raises(UsageError, match="no name in a certificate"):
            add_certified(tmp_path, "wrong", wrong)
    assert client_names(tmp_path) == ["ledger"]


def test_the_common_name_counts_only_without_another() -> None:
    """A certificate with alternative names is known by those alone."""
    subject = ((("countryName", "CN"),), (("commonName", "ledger"),))
    assert names_in({"subject": subject}) == ("CN:ledger",)
    both = {
        "subject": subject,
        "subjectAltName": (("DNS", "a"), ("IP Address", "127.0.0.1"), ("URI", "urn:b")),
    }
    assert names_in(both) == ("DNS:a", "URI:urn:b")
    assert names_in(None) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"clients": "required"},
        {"clients": "maybe", "client_authority": "ca.pem"},
        {"clients": "none", "client_authority": "ca.pem"},
        {"key": 7},
        {"unknown": "x"},
    ],
)
def test_settings_that_cannot_be_are_told(tmp_path: Path, changes: dict[str, Any]) -> None:
    """What does not go together is refused when the door starts."""
    with pytest.raises(UsageError):
        DoorTls.read("tls", {"certificate": "a.pem", "key": "a.key", **changes}, tmp_path)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """The door's own private key is a secret file like all others; what is no key is told, too."""
    Authority(tmp_path).issue("door")
    tls = DoorTls.read("tls", {"certificate": "door.pem", "key": "door.key"}, tmp_path)
    assert tls.context().minimum_version == ssl.TLSVersion.TLSv1_2
    tls.key.chmod(0o640)
    with pytest.raises(UsageError, match="others may read"):
        tls.context()
    tls.key.write_text("no key")
    tls.key.chmod(0o600)
    with pytest.raises(UsageError, match="cannot be used"):
        tls.context()


def test_an_address_says_whether_there_is_tls(served: Served) -> None:
    """https without a certificate would be answered in the clear, http with one by nobody."""
    with pytest.raises(UsageError, match="do not go together"):
        web_config(served.scene.door, served.scene.clients, "https://127.0.0.1:1")
