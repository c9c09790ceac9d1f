"""Build file, compose file and units: what their own tools find wrong with them, and what they promise."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from casebus_deploy.cli.settings_file import known_settings
from casebus_services.exit_codes import EXIT_EVIDENCE

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
BUILD_FILE = DEPLOY / "container" / "Containerfile"
COMPOSE = DEPLOY / "container" / "compose.yaml"
UNITS = sorted((DEPLOY / "systemd").glob("*"))


def test_the_linter_finds_nothing_in_the_build_file() -> None:
    """hadolint has nothing to say of the build file, and something of a bad one."""
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, BUILD_FILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    bad = "FROM python:latest\nUSER root\n"
    done = subprocess.run([hadolint, "-"], input=bad, capture_output=True, text=True)
    assert done.returncode != 0


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of that name in the build file."""
    text = BUILD_FILE.read_text().replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in text.splitlines() if line.startswith(f"{name} ")]


def test_the_image_runs_as_nobody_and_says_how_it_is() -> None:
    """Not root at the end, a health check, no registry's host, packages by their hashes alone."""
    assert instructions("USER") == ["10001:10001"]
    assert "alive" in instructions("HEALTHCHECK")[0]
    assert instructions("ENTRYPOINT") == ['["casebus"]']
    (base,) = instructions("ARG")
    assert "/" not in base  # no host before the name
    assert {line.split()[0] for line in instructions("FROM")} == {"${PYTHON_IMAGE}"}
    (packages,) = [line for line in instructions("RUN") if "run.lock" in line]
    assert "--require-hashes" in packages


def test_the_image_is_built_from_what_it_copies() -> None:
    """What the build file copies is there, and not kept out by the list of what is sent to the builder."""
    root = DEPLOY.parent
    sent = {line[1:] for line in (root / ".containerignore").read_text().splitlines() if line[:1] == "!"}
    assert (root / ".containerignore").read_text() == (root / ".dockerignore").read_text()
    copied = [words for line in instructions("COPY") for words in line.split()[:-1] if "--from" not in line]
    assert copied
    for path in copied:
        assert (root / path).exists()
        assert path in sent, path


def test_variables_of_the_image_are_settings() -> None:
    """Every CASEBUS_ variable in the files is one that a program reads."""
    files = (BUILD_FILE, COMPOSE, *UNITS)
    named = {name for file in files for name in re.findall(r"\b(CASEBUS_[A-Z_]+)(?==)", file.read_text())} - {
        "CASEBUS_SETTINGS_FILE",
        "CASEBUS_PROGRAM",
    }
    assert named <= known_settings()
    assert "CASEBUS_DATA_DIR" in named


def compose() -> dict[str, Any]:
    """The compose file."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return found


def test_the_compose_file_is_one() -> None:
    """A reader of the specification takes it; a slip in it is seen."""
    import compose_spec

    assert {*compose()["services"]} == {"bus", "database", "prometheus", "grafana"}
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text())  # as compose fills in what is not set
    text = re.sub(r"\$\{\w+:\?[^}]*\}", "chosen", text)
    compose_spec.PyCompose.from_yaml(text)
    with pytest.raises(Exception, match="read_onyl"):
        compose_spec.PyCompose.from_yaml(text.replace("read_only: true", "read_onyl: true"))


def test_the_trial_is_reached_from_this_machine_alone() -> None:
    """Every program listens on loopback, and the bus writes its own volume only."""
    services = compose()["services"]
    for name, one in services.items():
        assert one["network_mode"] == "host", name
        assert "ports" not in one
    assert "--web.listen-address=127.0.0.1:9090" in services["prometheus"]["command"]
    assert services["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert "listen_addresses=127.0.0.1" in services["database"]["command"]
    assert (services["bus"]["read_only"], services["bus"]["cap_drop"]) == (True, ["ALL"])
    for one in services.values():
        for volume in one.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in compose()["volumes"] or (COMPOSE.parent / source).exists(), volume


def unit(file: Path) -> configparser.RawConfigParser:
    """A unit's sections; of a directive that stands twice the last."""
    found = configparser.RawConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # the library's own way to keep capitals
    found.read_string(file.read_text())
    return found


@pytest.mark.parametrize("file", [one for one in UNITS if one.suffix == ".service"], ids=lambda one: one.name)
def test_a_unit_starts_again_what_may_be_started_again(file: Path) -> None:
    """Always but where evidence is at risk or settings are wrong; with few rights, and time to drain."""
    service = unit(file)["Service"]
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("always", f"{EXIT_EVIDENCE} 2")
    assert (service["User"], service["ProtectSystem"], service["NoNewPrivileges"]) == (
        "casebus",
        "strict",
        "yes",
    )
    assert int(service["TimeoutStopSec"]) > 20  # a hung service ends itself after 20 s
    assert service["ExecStart"].startswith("/opt/casebus/bin/casebus run ")


def test_systemd_itself_takes_the_units(tmp_path: Path) -> None:
    """Where systemd is there it finds nothing wrong; everywhere each directive stands in a section."""
    assert [file.name for file in UNITS] == ["casebus-agency@.service", "casebus.target", "casebus@.service"]
    for file in UNITS:
        assert {"Unit", "Install"} <= set(unit(file).sections())
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    for file in UNITS:
        text = file.read_text().replace("/opt/casebus/bin/casebus", sys.executable)
        (tmp_path / file.name).write_text(text)
    done = subprocess.run(
        [program, "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))], capture_output=True, text=True
    )
    said = [line for line in done.stderr.splitlines() if any(one.stem in line for one in UNITS)]
    assert said == []
