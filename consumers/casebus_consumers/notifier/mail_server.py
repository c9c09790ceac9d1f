"""Hands mails to the agency's mail server by SMTP; a failure is the mail's or the server's."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from casebus_producers.config import read_secret
from casebus_schemas.errors import BusError

from .settings import MailServer

TIMEOUT_S = 20.0
"""Of each answer."""
_ENHANCED = re.compile(rb"\d\.\d{1,3}\.\d{1,3}")


class ServerTrouble(Exception):
    """The server is away, or takes nothing from us: no mail is at fault."""


class MailRefused(Exception):
    """The server does not take this mail; `for_good` where it says so (5xx)."""

    def __init__(self, problem: str, *, for_good: bool) -> None:
        super().__init__(problem)
        self.for_good = for_good


@contextmanager
def connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A connection that is logged in. Raises ServerTrouble."""
    at = f"{server.host}:{server.port}"
    smtp: smtplib.SMTP | None = None
    try:
        context = None
        if server.security != "none":
            context = ssl.create_default_context(cafile=server.ca_file)
        if server.security == "tls":
            smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            smtp.starttls(context=context)
        if server.login is not None and server.password_file is not None:
            smtp.login(server.login, read_secret(server.password_file, "mail password"))
    except smtplib.SMTPResponseException as error:
        _close(smtp)
        raise ServerTrouble(f"{at}: {_code(error.smtp_code, error.smtp_error)}") from error
    except (OSError, smtplib.SMTPException, BusError) as error:
        _close(smtp)
        raise ServerTrouble(f"{at}: {_named(error)}") from error
    try:
        yield smtp
    finally:
        _close(smtp)


def hand_over(smtp: smtplib.SMTP, sender: str, to: str, mail: bytes) -> None:
    """One mail to one mailbox; the server has taken it when this returns.

    Raises MailRefused where the mail is not taken, or where the connection broke after it was sent and nobody
    knows whether it was; ServerTrouble where the server takes none.
    """
    sent = False
    try:
        _expect(smtp.mail(sender), ours=True)
        _expect(smtp.rcpt(to))
        sent = True
        code, said = smtp.data(mail)
        _expect((code, said))
    except smtplib.SMTPDataError as error:
        _expect((error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else b""))
    except (OSError, smtplib.SMTPException) as error:
        if sent:
            raise MailRefused(_named(error), for_good=False) from error
        raise ServerTrouble(_named(error)) from error


def reset(smtp: smtplib.SMTP) -> None:
    """Makes ready for the next mail after one that was refused. Raises ServerTrouble."""
    try:
        smtp.rset()
    except (OSError, smtplib.SMTPException) as error:
        raise ServerTrouble(_named(error)) from error


def _expect(answer: tuple[int, bytes], *, ours: bool = False) -> None:
    """`ours`: a refusal is about us, whatever the mail: the sender is not let in."""
    code, said = answer
    if 200 <= code < 300:
        return
    if ours or code == 421:
        raise ServerTrouble(_code(code, said))
    raise MailRefused(_code(code, said), for_good=code >= 500)


def _code(code: int, said: object) -> str:
    """What the server says by number; its words may name a mailbox."""
    found = _ENHANCED.match(said) if isinstance(said, bytes) else None
    return f"SMTP {code}" + (f" {found.group().decode()}" if found else "")


def _named(error: BaseException) -> str:
    if isinstance(error, BusError):
        return error.detail
    said = "" if isinstance(error, smtplib.SMTPException) else f": {error}"
    return f"{type(error).__name__}{said}"[:200]


def _close(smtp: smtplib.SMTP | None) -> None:
    if smtp is not None:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()
