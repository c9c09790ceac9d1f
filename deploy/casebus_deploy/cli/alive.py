"""`casebus alive`: whether a service gives signs of life, for health checks of containers and supervisors."""

import time
import urllib.request
from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.screen import say
from casebus_schemas.errors import RetryLater, UsageError

app = typer.Typer()

FILE = "heartbeat.json"
TIMEOUT_S = 5.0


@app.command("alive")
def alive(
    data: Annotated[
        Path | None,
        typer.Option(help="folder of a service, in which it beats", envvar="CASEBUS_DATA_DIR"),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="for what answers by HTTP instead: its /healthz or any page of it")
    ] = None,
    older_s: Annotated[float, typer.Option(help="seconds after which a sign of life is too old", min=1)] = 60,
) -> None:
    """Whether a service does its work: exit code 0, or 3 with what was found."""
    if url is not None:
        _answers(url)
    elif data is not None:
        _beats(data / FILE, older_s)
    else:
        raise UsageError("which service?", expected="--data, CASEBUS_DATA_DIR or --url")
    say("alive 正常")


def _beats(file: Path, older_s: float) -> None:
    try:
        age_s = time.time() - file.stat().st_mtime
    except OSError as error:
        raise RetryLater("no sign of life", found=f"{file}: {error.strerror}") from error
    if age_s > older_s:
        raise RetryLater(
            "no sign of life", found=f"the last one {age_s:.0f} s ago", expected=f"one in {older_s:.0f} s"
        )


def _answers(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise UsageError("--url", found=repr(url)[:80], expected="http://… or https://…")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S):
            return
    except (OSError, ValueError) as error:
        raise RetryLater("no answer", found=f"{url}: {error}") from error
