#!/usr/bin/env bash
# aiosmtpd 1.4.6: an authenticator that answers AuthResult(success=False) makes the server end the session of a wrong password without any reply; with handled=False it replies 535 as RFC 4954 wants.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aiosmtpd==1.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import smtplib
import socket

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


def login(**answer: bool) -> str:
    """What a client that gives a wrong password is told."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(
        object(),
        hostname="127.0.0.1",
        port=port,
        authenticator=lambda *_: AuthResult(success=False, **answer),
        auth_require_tls=False,
    )
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.login("officer", "wrong")
            return "accepted"
    except smtplib.SMTPException as error:
        return f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()
    finally:
        server.stop()


silent, said = login(), login(handled=False)
print(f"AuthResult(success=False): {silent}")
print(f"AuthResult(success=False, handled=False): {said}")
assert silent == "SMTPServerDisconnected", silent
assert said == "SMTPAuthenticationError 535", said
PYTHON
