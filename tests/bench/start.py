"""Processor time of commands whose broker is not there: what their start costs, under either build."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

COMMANDS = {
    "publish": ("publish", "--agency", "csrc", "--timeout", "0.1", "event.json"),
    "inbox": ("inbox", "--agency", "csrc"),
    "case": ("case", "some-chain"),
    "obligations": ("obligations",),
}
_EVENT = {
    "specversion": "1.0",
    "type": "referral.submitted",
    "source": "/csrc",
    "id": "0190163d-8694-739b-aea5-966c26f8ad91",
    "time": "2016-10-18T00:00:00+08:00",
    "subject": "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44",
    "data": {
        "envelope": {
            "message_class": "initial",
            "to": ["mps"],
            "precision": "day",
            "date_basis": "stated",
            "handling": "H1",
        }
    },
}


def processor_s(words: tuple[str, ...], folder: Path) -> float:
    """Seconds of processor time of one run of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "casebus_deploy.cli.main", *words],
        cwd=folder,
        env={**os.environ, "CASEBUS_CONNECTION": str(folder / "connection.json")},
        capture_output=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints the figures; each command ran once before, so that its files and its byte code are there."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "password").write_text("secret")
        for name, text in (("key", "01" * 32), ("secret", "x" * 32)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        (folder / "event.json").write_text(json.dumps(_EVENT))
        csrc = {
            "username": "csrc",
            "password_file": "password",
            "signing_key_file": "key",
            "chain_secret_file": "secret",
            "data_dir": "csrc",
        }
        connection = {
            "bootstrap_servers": "127.0.0.1:9",
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-512",
            "ca_file": None,
            "partitions": 4,
            "registry_url": None,
            "web_url": None,
            "databases": {"ledger": None, "accounts": f"sqlite:///{folder / 'accounts.db'}"},
            "principals": {"csrc": csrc},
        }
        (folder / "connection.json").write_text(json.dumps(connection))
        found = {}
        for name, words in COMMANDS.items():
            processor_s(words, folder)
            found[name] = min(processor_s(words, folder) for _ in range(2))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
