"""docs/how-to/enrol-an-agency.md, followed to the letter by an operator and two agencies, each by itself."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from support.cases.guides import blocks

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
PAGE = "enrol-an-agency.md"
NUMBERS = ("1f0c-93ab-77e1-0d52-c4b8-6a3e-9921-f07d", "5b7e-00c1-d94f-2a86-e3b0-4c72-88fd-1690")
"""As the page writes them: the agency's and the operator's."""
CASEBUS = Path(sys.executable).with_name("casebus")


@dataclass
class Machine:
    """A machine of one party: its folder, its variables, an empty folder to work in."""

    folder: Path
    here: Path
    connection: Path | None = None

    def run(self, line: str, fails: int = 0, **variables: str) -> str:
        """What a line of the page says on standard output."""
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.here,
            env=self.env(**variables),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == fails, (line, done.stdout, done.stderr)
        return done.stdout

    def env(self, **variables: str) -> dict[str, str]:
        """The variables of its programs: where the program is, and what the page exports."""
        named = {} if self.connection is None else {"CASEBUS_CONNECTION": str(self.connection)}
        path = f"{CASEBUS.parent}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.here), "LANG": "C.UTF-8", **named, **variables}


def lines(number: int, **said: str) -> list[str]:
    """The commands of the page's n-th block, with paths and numbers as they are here."""
    found = []
    for line in blocks(PAGE, "console")[number].splitlines():
        for written, here in said.items():
            line = line.replace(written.replace("_", "/"), here)
        found.append(line)
    return found


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The operator of a bus that makes no agency's key, started as the page says."""
    folder, here = tmp_path_factory.mktemp("operator") / "bus", tmp_path_factory.mktemp("desk")
    machine = Machine(folder, here)
    (line,) = lines(0, _srv_bus=str(folder))
    with subprocess.Popen(
        ["bash", "-c", f"exec {line}"],
        cwd=here,
        env=machine.env(HOME=os.environ["HOME"]),  # where Kafka's archives are cached
        stdout=subprocess.PIPE,
        text=True,
    ) as up:
        try:
            assert up.stdout is not None
            assert any(said.startswith("ready") for said in up.stdout), "it does not get ready"
            machine.connection = folder / "connection.json"
            yield machine
        finally:
            up.terminate()
            up.wait(60)


def joined(operator: Machine, agency: str, folder: Path) -> Machine:
    """An agency that follows the page up to its import, with the operator."""
    own = Machine(folder / "own", folder / "desk")
    own.here.mkdir(parents=True)
    request, made = f"{agency}.request.json", own.folder
    asked = lines(1, _srv_casebus=str(made), csrc=agency)[0]
    own.run(asked.replace(" --witness", "") if agency == "court" else asked)
    number = number_of(own.run(f"casebus enroll show {made / request}"))
    shutil.copy(made / request, operator.here)
    _, looked, approved, exported = (
        line.replace("csrc", agency).replace(NUMBERS[0], number) for line in lines(2)
    )
    assert number in operator.run(looked, fails=1)
    operator.run(approved)
    operators = number_of(operator.run(exported))
    shutil.copy(operator.here / f"{agency}.connection.json", own.here)
    own.run(lines(3, _srv_casebus=str(made), csrc=agency)[0].replace(NUMBERS[1], operators))
    own.connection = made / "connection.json"
    return own


def number_of(said: str) -> str:
    """The number that a command prints last."""
    return said.strip().splitlines()[-1].rpartition(": ")[2]


@pytest.fixture(scope="module")
def agencies(operator: Machine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Machine]:
    """The regulator and the police, each joined on a machine of its own."""
    return {name: joined(operator, name, tmp_path_factory.mktemp(name)) for name in ("csrc", "mps")}


def test_an_agency_joins_and_works_with_nothing_but_its_own_connection(agencies: dict[str, Machine]) -> None:
    """Every command of the page does what it says: what the regulator refers arrives with the police."""
    csrc = agencies["csrc"]
    for line in lines(3)[2:]:
        said = csrc.run(line)
        if "publish" in line:
            stages = sorted(json.loads(one)["stage"] for one in said.splitlines())
            assert stages == ["admitted", "ledgered", "published"]
    heard = agencies["mps"].run("casebus inbox --agency mps --json")
    assert "referral.submitted" in [json.loads(one)["event"]["type"] for one in heard.splitlines()]


def test_the_door_runs_with_nothing_but_its_own_connection(agencies: dict[str, Machine]) -> None:
    """A system of the agency says an event by HTTP and hears that it is in the ledger."""
    csrc = agencies["csrc"]
    client, door = lines(4)
    csrc.run(client)
    port = free_port()
    event = json.loads(csrc.run("casebus schemas example referral.submitted"))
    event["data"]["envelope"] |= {
        "local_refs": [{"issuer": "csrc", "scheme": "case", "value": "by the door"}]
    }
    event |= {"id": None, "subject": None}
    ask = Request(
        f"http://127.0.0.1:{port}/v1/events?wait=ledgered",
        json.dumps({k: v for k, v in event.items() if v is not None}).encode(),
        {
            "authorization": f"Bearer {(csrc.here / 'ledger-system.key').read_text().strip()}",
            "content-type": "application/cloudevents+json",
        },
    )
    with running(csrc, door.replace("8443", str(port))):
        status, body = answered(ask)
    assert (status, json.loads(body)["stage"]) == (200, "ledgered")


def test_the_desk_runs_with_nothing_but_its_own_connection(agencies: dict[str, Machine]) -> None:
    """An officer's browser finds the page to sign in."""
    csrc = agencies["csrc"]
    officer, desk = lines(5)
    assert "li.wei" in csrc.run(officer)
    port = free_port()
    with running(csrc, desk.replace("8444", str(port))):
        status, page = answered(Request(f"http://127.0.0.1:{port}/sign-in"))
    assert status == 200
    assert b'name="password"' in page


def test_no_byte_of_anothers_secret_leaves_the_operator(
    operator: Machine, agencies: dict[str, Machine]
) -> None:
    """No secret of others is in the excerpt or the agency's folder; the operator holds none of its."""
    theirs = secrets_below(agencies["mps"].folder)
    bus = secrets_below(operator.folder)
    own = secrets_below(agencies["csrc"].folder)
    password = (agencies["csrc"].folder / "password").read_bytes()
    assert len(theirs) >= 5
    assert len(bus) >= 12
    assert own & bus == {password}
    excerpt = (operator.here / "csrc.connection.json").read_bytes()
    for secret in (theirs | bus) - {password}:
        for file in (operator.here / "csrc.connection.json", *agencies["csrc"].folder.rglob("*")):
            assert not file.is_file() or secret not in file.read_bytes(), file
    assert password not in excerpt
    assert b"mps" not in excerpt


def secrets_below(folder: Path) -> set[bytes]:
    """What the files of mode 0600 hold that are keys, secrets or passwords."""
    kinds = ("key", "secret", "password")
    files = [file for file in folder.rglob("*") if file.is_file() and file.name.endswith(kinds)]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    return {file.read_bytes().strip() for file in files}


def test_a_replayed_request_is_refused(operator: Machine, agencies: dict[str, Machine]) -> None:
    """What was approved is not approved again; both languages say so."""
    said = operator.run("casebus enroll approve csrc.request.json 2>&1", fails=2)
    assert "the request was approved before" in said
    assert "申请已批准过" in said


def test_the_doctor_says_who_holds_the_agencies_keys(operator: Machine, agencies: dict[str, Machine]) -> None:
    """On such a bus nobody's but the bus's own keys are with the operator."""
    said = operator.run("casebus doctor --json || true")
    examined = {one["name"]: one for one in json.loads(said)["examined"]}
    assert (examined["agencies"]["state"], examined["secrets"]["state"]) == ("ok", "ok")
    assert (examined["logins"]["state"], examined["sealer"]["state"]) == ("ok", "ok")


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def running(machine: Machine, line: str) -> Iterator[None]:
    """A program that runs on a machine until the block ends."""
    with subprocess.Popen(["bash", "-c", "exec env " + line], cwd=machine.here, env=machine.env()) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def answered(ask: Request, timeout_s: float = 60.0) -> tuple[int, bytes]:
    """Status and body of the answer, once somebody listens."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with urlopen(ask, timeout=60) as answer:
                return answer.status, answer.read()
        except URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
