"""Two agencies' desks on a whole bus: what one says stands on the other's open page, and back."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from casebus_deploy.stack.stack import Stack, StackOptions
from support.browser.person import PHONE, Person, Reader, person

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EXAMPLE = Path(__file__).resolve().parents[2] / "schemas/casebus_schemas/examples/referral.submitted.1.json"
TITLE = "referral.submitted"
SOON_MS = 90_000

pytestmark = pytest.mark.broker


def publish(stack: Stack, folder: Path) -> None:
    """The regulator's system says a referral to the police."""
    event = folder / "event.jsonl"
    event.write_text(json.dumps(json.loads(EXAMPLE.read_text())))
    env = {**os.environ, "CASEBUS_CONNECTION": str(stack.connection_file)}
    command = [sys.executable, "-m", "casebus_deploy.cli.main", "publish", str(event), "--agency", "csrc"]
    subprocess.run([*command, "--wait", "admitted"], env=env, check=True, capture_output=True, timeout=90)


def test_two_desks_hear_each_other(browser: "Browser", tmp_path: Path) -> None:
    """A referral comes into the open inbox of the police; their signature into that of the regulator."""
    options = StackOptions(
        data=tmp_path / "bus", page=False, registry=False, witnesses=False, doors=True, desks=True
    )
    with Stack(options) as stack, ExitStack() as present:
        desks = stack.desks()

        def officer(agency: str, reader: Reader) -> Person:
            url, passwords = desks[agency]
            found = present.enter_context(person(browser, url, reader))
            found.sign_in("liaison", passwords["liaison"])
            return found

        police, regulator = officer("mps", Reader("zh")), officer("csrc", Reader("en", width=PHONE))
        police.reads(police.words("inbox.empty"))
        regulator.open("/inbox?see=receipts")
        publish(stack, tmp_path)
        heard = police.page.get_by_role("main").get_by_role("link", name=police.words.title(TITLE))
        heard.first.wait_for(timeout=SOON_MS)
        police.picture("bus-inbox")
        heard.first.click()
        police.press("inbox.do_sign")
        police.reads(police.words("frame.done_signed"))
        signed = regulator.page.get_by_role("main").get_by_text(regulator.words.title("receipt.signed"))
        signed.first.wait_for(timeout=SOON_MS)
        regulator.picture("bus-receipts")
        regulator.open("/cases")
        assert police.hurdles() + regulator.hurdles() == []
