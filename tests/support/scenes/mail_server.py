"""A mail server on loopback that answers as a test wants, and remembers what it took."""

import asyncio
import logging
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

OK = "250 OK"
CUT = "cut"
"""Instead of an answer: the mail is taken, and the connection ends before that is said."""


class MailServer:
    """What was taken, in order. `on_rcpt` and `on_data` give the answer for a mailbox."""

    def __init__(self) -> None:
        self.port = 0
        self.taken: list[tuple[str, bytes]] = []
        self.on_rcpt: Callable[[str], str] = lambda _to: OK
        self.on_data: Callable[[str], str] = lambda _to: OK
        self.logins: list[str] = []

    def mails(self, to: str | None = None) -> list[EmailMessage]:
        """The mails to a mailbox."""
        found = [raw for box, raw in self.taken if to in (None, box)]
        return [message for raw in found if isinstance(message := _parsed(raw), EmailMessage)]

    def bodies(self, to: str | None = None) -> list[str]:
        """What the mails to a mailbox say."""
        return [str(mail.get_content()) for mail in self.mails(to)]

    def ids(self) -> Counter[str]:
        """How often a mail of each Message-ID was taken."""
        return Counter(str(mail["message-id"]) for mail in self.mails())

    async def handle_RCPT(  # noqa: N802  (as the library calls it)
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        answer = self.on_rcpt(address)
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802  (as the library calls it)
        self, server: Any, _session: Any, envelope: Any
    ) -> str:
        (to,) = envelope.rcpt_tos
        answer = self.on_data(to)
        if answer in (OK, CUT):
            self.taken.append((to, envelope.content))
        if answer == CUT:
            server.transport.abort()
            return OK
        return answer

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _kind: str, data: Any) -> AuthResult:
        """Takes `desk` with the password `right`."""
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        right = (data.login, data.password) == (b"desk", b"right")
        return AuthResult(success=right, handled=right)


@contextmanager
def serving(
    server: MailServer, *, port: int = 0, context: ssl.SSLContext | None = None, login: bool = False
) -> Iterator[MailServer]:
    """The server listens until the block ends; with a context it wants STARTTLS."""
    loop = asyncio.new_event_loop()
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the server's own, which notes every line

    def made() -> SMTP:
        return SMTP(
            server,
            hostname="mail.example",
            loop=loop,
            tls_context=context,
            require_starttls=context is not None,
            authenticator=server.authenticate if login else None,
            auth_required=login,
        )

    listening = loop.run_until_complete(loop.create_server(made, "127.0.0.1", port))
    server.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def end() -> None:
        listening.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _parsed(raw: bytes) -> Any:
    return message_from_bytes(raw, policy=default)
