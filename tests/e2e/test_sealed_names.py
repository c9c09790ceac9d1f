"""Ten thousand sealed names through a whole bus: the recipients read them, nothing else holds one."""

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from casebus_deploy.stack.stack import Stack, StackOptions
from support.cases.made_up import made_up
from support.cases.members import door_event

pytestmark = [pytest.mark.broker, pytest.mark.thorough]

SURNAME = "鱻龘"
"""Stands in every name and in no other text, so that no name can be there where it is not."""
PLACE_AND_DAY = "11010519491231"
"""Of every number."""
IN_CLEAR = "姜某甲"
"""The official abbreviation, which is said in clear: where the search would find a name that was."""
A_EVENT = 250
NAMES = made_up(10_000)
LONG_S = 240
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def name_of(number: int) -> str:
    """A name of its own for each number."""
    digest = hashlib.sha256(f"name {number}".encode()).digest()
    return SURNAME + "".join(chr(0x4E00 + int.from_bytes(digest[at : at + 2]) % 20_000) for at in (0, 2))


def number_of(number: int) -> str:
    """A resident number with the right last place; a thousand of them are different."""
    digits = f"{PLACE_AND_DAY}{number % 1000:03}"
    return digits + "10X98765432"[sum(w * int(d) for w, d in zip(WEIGHTS, digits, strict=True)) % 11]


def events() -> Iterator[dict[str, Any]]:
    """Referrals of 250 suspects each, whose names and numbers are sealed."""
    for start in range(0, NAMES, A_EVENT):
        persons = range(start, min(start + A_EVENT, NAMES))
        suspects: list[dict[str, Any]] = [
            {"ref": f"S{n}", "kind": "natural", "name": f"{IN_CLEAR}{n}", "role": None, "tokens": []}
            for n in persons
        ]
        sealed = [
            {
                "ref": f"S{n}",
                "name": name_of(n),
                "documents": [{"kind": "resident_id", "number": number_of(n)}],
            }
            for n in persons
        ]
        reference = [{"issuer": "csrc", "scheme": "case", "value": f"sealed-{start}"}]
        yield door_event(
            id=None,
            envelope={"local_refs": reference, "message_no": f"sealed-{start}", "cc": ["spp"]},
            data={"suspects": suspects, "sealed": {"persons": sealed}},
        )


def casebus(stack: Stack, *arguments: str) -> str:
    """What a command prints; it must end well."""
    env = {**os.environ, "CASEBUS_CONNECTION": str(stack.connection_file), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "casebus_deploy.cli.main", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LONG_S)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def written(text: str) -> list[bytes]:
    """How a text may stand in bytes: in the encodings in use, and escaped in JSON and in addresses."""
    escaped = json.dumps(text)[1:-1]
    return [
        *(text.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030")),
        escaped.encode(),
        escaped.upper().replace("\\U", "\\u").encode(),
        quote(text).encode(),
    ]


def holding(folder: Path, texts: Sequence[str]) -> dict[str, list[str]]:
    """For each text the files below a folder that hold it; Kafka's zeros at their ends are cut off."""
    forms = {text: written(text) for text in texts}
    found: dict[str, list[str]] = {text: [] for text in texts}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            held = file.read_bytes().rstrip(b"\0")
            for text, every in forms.items():
                if any(form in held for form in every):
                    found[text].append(str(file.relative_to(folder)))
    return found


@pytest.mark.timeout(1200)
def test_no_sealed_name_stands_anywhere_but_with_its_readers(tmp_path: Path) -> None:
    """Broker log, databases, logs, outboxes and page hold what is said in clear, and no sealed name."""
    lines = tmp_path / "events.jsonl"
    lines.write_text(
        "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in events()), encoding="utf-8"
    )
    with Stack(StackOptions(data=tmp_path / "bus")) as stack:
        said = [
            json.loads(line)
            for line in casebus(
                stack, "publish", str(lines), "-a", "csrc", "--wait", "ledgered", "--timeout", "200"
            ).splitlines()
        ]
        stages = [one["stage"] for one in said]
        assert stages.count("admitted") == -(-NAMES // A_EVENT)
        chain = said[0]["event"]["chain"]
        deadline = time.monotonic() + LONG_S
        while len(json.loads(casebus(stack, "case", "--json"))) < stages.count("admitted"):
            assert time.monotonic() < deadline, "the reconciler has not got so far"
        pages = [casebus_page(stack, path) for path in ("", "fragment", "status.json")]
        heard = {
            agency: [
                json.loads(line) for line in casebus(stack, "inbox", "-a", agency, "--json").splitlines()
            ]
            for agency in ("mps", "spp")
        }
        shown = casebus(stack, "inbox", "-a", "mps")
        casebus(stack, "case", chain, "-a", "mps", "--json")
        folder = tmp_path / "bus"
        held = holding(folder, (IN_CLEAR, SURNAME, PLACE_AND_DAY))
        clear = {name.removesuffix("-wal") for name in held[IN_CLEAR]}
        assert {"ledger.db", "agencies/csrc/outbox.db"} <= clear
        assert any(name.startswith("broker/") and name.endswith(".log") for name in clear)
        assert (held[SURNAME], held[PLACE_AND_DAY]) == ([], [])
        for page in pages:
            assert not any(form in page for form in (*written(SURNAME), *written(PLACE_AND_DAY)))
    read = {
        agency: {
            person["name"]
            for notice in notices
            if notice.get("sealed", {}).get("state") == "opened"
            for person in notice["sealed"]["personal"]["persons"]
        }
        for agency, notices in heard.items()
    }
    every = {name_of(n) for n in range(NAMES)}
    assert len(every) > NAMES * 0.99  # a few of them are called the same
    assert read == {"mps": every, "spp": every}
    assert f"密封 SEALED  S0  {name_of(0)}" in shown


def casebus_page(stack: Stack, path: str) -> bytes:
    """A page of the status page, as a browser gets it."""
    address = (stack.connection.web_url or "") + path
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        return error.read()
