"""A mail to one mailbox: counts, a line an occasion, and where at the desk it stands."""

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

from casebus_consumers.desk.words import Words

from .occasions import Occasion
from .settings import NotifySettings

MOST_LINES = 40
"""Of one kind; the desk has them all."""
_KINDS = ("forged", "overdue", "due", "near", "notice")


def letter(
    to: str, occasions: Sequence[Occasion], settings: NotifySettings, agency: str, at: datetime, w: Words
) -> tuple[str, str]:
    """(id, text) of the mail; its Message-ID holds the id, so that a second copy is known as one."""
    kinds = {kind: [one for one in occasions if one.stage == kind] for kind in _KINDS}
    kinds = {kind: found for kind, found in kinds.items() if found}
    counted = w.comma.join(w(f"mail.count_{kind}", n=len(found)) for kind, found in kinds.items())
    lines = [w("mail.greeting", agency=w.agency(agency)), ""]
    for kind, found in kinds.items():
        lines.append(w(f"mail.head_{kind}", n=len(found)))
        for one in found[:MOST_LINES]:
            lines.append(f"  {one.line}")
            if one.path is not None and settings.desk is not None:
                lines.append(f"    {settings.desk}{one.path}")
        if len(found) > MOST_LINES:
            lines.append(f"  {w('mail.more', n=len(found) - MOST_LINES)}")
        lines.append("")
    if settings.desk is not None:
        lines.append(w("mail.desk", url=settings.desk))
    lines.append(w("mail.once"))
    id = sha256("\n".join((to, *(one.key for one in occasions))).encode()).hexdigest()[:32]
    return id, mail(to, w("mail.subject", counted=counted), "\n".join(lines), id, settings.sender, at)


def mail(to: str, subject: str, body: str, id: str, sender: str, at: datetime) -> str:
    """A whole mail in ASCII, as it goes to the server at every attempt. `at` is aware."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body + "\n", cte="base64")
    return message.as_bytes().decode("ascii")
