"""Settings of a TOML file count where no variable is set, and say what nobody reads."""

import os
from pathlib import Path

import pytest

from casebus_deploy.cli import main
from casebus_deploy.cli.settings_file import VARIABLE, known_settings, read_settings, take_settings_file
from casebus_schemas.errors import UsageError

FILE = """
bootstrap_servers = ["kafka1:9092", "kafka2:9092"]
simulated_clock = true
seal_entries = 100

[sealer]
seal_entries = 7
seal_interval_s = 0.5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file with a table of one service."""
    made = tmp_path / "casebus.toml"
    made.write_text(FILE)
    return made


def test_a_service_takes_its_own_table_before_the_rest(file: Path) -> None:
    """A table counts for its service alone, and before what stands outside of it."""
    common = {"CASEBUS_BOOTSTRAP_SERVERS": "kafka1:9092,kafka2:9092", "CASEBUS_SIMULATED_CLOCK": "true"}
    assert read_settings(file) == {**common, "CASEBUS_SEAL_ENTRIES": "100"}
    assert read_settings(file, "sealer") == {
        **common,
        "CASEBUS_SEAL_ENTRIES": "7",
        "CASEBUS_SEAL_INTERVAL_S": "0.5",
    }


def test_a_variable_counts_before_the_file(file: Path) -> None:
    """What is set in the environment stays as it is; what is not comes from the file."""
    environ = {VARIABLE: str(file), "CASEBUS_SEAL_ENTRIES": "3"}
    take_settings_file(environ, ["run", "sealer"])
    assert environ["CASEBUS_SEAL_ENTRIES"] == "3"
    assert environ["CASEBUS_SEAL_INTERVAL_S"] == "0.5"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("seal_entrys = 7", "seal_entrys"),
        ("SEAL_ENTRIES = 7", "SEAL_ENTRIES"),
        ("settings_file = 'another.toml'", "settings_file"),
        ("[seeler]\nseal_entries = 7", "[seeler]"),
        ("[router]\nno_such = 7", "no_such"),
        ("seal_entries = 2026-11-29", "seal_entries"),
        ("seal_entries = ", "casebus.toml"),
    ],
)
def test_what_nobody_reads_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    """A slip in a settings file ends the program before it starts with other settings than meant."""
    file = tmp_path / "casebus.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_settings(file)
    assert named in str(refused.value)


def test_every_program_reads_the_file_at_its_start(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program sees what the file gives, whatever the command."""
    seen: dict[str, str] = {}

    def run() -> None:
        seen.update(os.environ)

    for name in known_settings():
        monkeypatch.delenv(name, raising=False)
    environ = {**os.environ, VARIABLE: str(file)}
    monkeypatch.setattr(os, "environ", environ)
    monkeypatch.setattr("sys.argv", ["casebus", "case"])
    monkeypatch.setattr(main, "build", lambda _arguments: run)
    main.main()
    assert seen["CASEBUS_SEAL_ENTRIES"] == "100"
