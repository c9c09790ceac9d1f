"""What the demo says to do next can be done as it stands there."""

import subprocess
import sys
from pathlib import Path

import pytest

from casebus_deploy.demo.screen import called_here


@pytest.mark.parametrize("path", ["/usr/bin:/bin", f"{Path(sys.executable).parent}:/usr/bin:/bin"])
def test_c24_the_hints_name_a_program_that_the_shell_finds(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not the environment is active, the words of the hint start casebus."""
    monkeypatch.setenv("PATH", path)
    done = subprocess.run(["sh", "-c", f"{called_here()} --version"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
