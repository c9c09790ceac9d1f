"""The agency's settings of its mails: notify.yaml beside its outbox, read strictly when the door starts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any, Literal, get_args

from casebus_consumers.desk.words import LANGUAGES, Language
from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import known_keys, read_yaml

FILE = "notify.yaml"
Security = Literal["starttls", "tls", "none"]
Told = Literal["digest", "at-once", "none"]
Level = Literal["liaison", "head", "procuratorate"]
LEVELS: tuple[Level, ...] = get_args(Level)
_PORTS: Mapping[str, int] = {"starttls": 587, "tls": 465, "none": 25}
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}\Z")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")
_MOST_BOXES = 50


@dataclass(frozen=True, slots=True)
class MailServer:
    """The agency's own mail server; members of `server` in notify.yaml."""

    host: str
    """its name"""
    port: int = 587
    """its port; 465 with `security: tls`"""
    security: Security = "starttls"
    """`starttls`, `tls` from the first byte, or `none`, which only a server on this machine may have"""
    login: str | None = None
    """the name to log in with"""
    password_file: Path | None = None
    """file with its password, mode 0600"""
    ca_file: Path | None = None
    """certificates of the authority of its certificate, instead of the machine's"""


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """What an agency sets. Times of day are those of Beijing; paths are below its data folder."""

    server: MailServer
    """the mail server, see below"""
    sender: str
    """from which mailbox"""
    liaison: Sequence[str] = ()
    """mailboxes that hear of notices, and of own terms from `near_days` before their first end on"""
    head: Sequence[str] = ()
    """mailboxes that hear of own terms once one reading of their end is today or over"""
    procuratorate: Sequence[str] = ()
    """mailboxes, agreed with the procuratorate, that hear of own terms that are overdue by every reading"""
    notices: Told = "digest"
    """`digest`, `at-once` (at most a mail in five minutes) or `none`"""
    digest_at: Sequence[time] = (time(8, 30), time(14, 0))
    """when a digest is written, if anything has come"""
    quiet_from: time = time(20, 0)
    """from then on no mail is sent"""
    quiet_to: time = time(8, 0)
    """until then; equal to `quiet_from`: no quiet hours"""
    days_off: bool = True
    """whether days without office hours are quiet, too"""
    near_days: int = 3
    """so many days before its first end a term is near"""
    language: Language = "zh"
    """`zh` or `en`"""
    desk: str | None = None
    """address of the desk to which mails point; that of connection.json"""

    @classmethod
    def read(cls, folder: Path) -> "NotifySettings | None":
        """The settings in a data folder, None where there is no file. Raises UsageError."""
        file = folder / FILE
        try:
            source = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {file}", found=str(error)) from error
        body: Any = read_yaml(FILE, source)
        if not isinstance(body, dict):
            raise UsageError(FILE, found=repr(body)[:60], expected="names with values")
        names = list(cls.__dataclass_fields__)
        known_keys(FILE, body, required=("server", "sender"), optional=tuple(names[2:]))
        given: dict[str, Any] = {
            "server": _server(body["server"], folder),
            "sender": _mailboxes("sender", [body["sender"]])[0],
        }
        given |= {level: _mailboxes(level, body[level]) for level in LEVELS if level in body}
        given |= {name: _clock(name, body[name]) for name in ("quiet_from", "quiet_to") if name in body}
        for name, allowed in (("notices", get_args(Told)), ("language", LANGUAGES)):
            if name in body:
                given[name] = _among(name, body[name], allowed)
        if "digest_at" in body:
            given["digest_at"] = _clocks(body["digest_at"])
        if "days_off" in body:
            given["days_off"] = _among("days_off", body["days_off"], (True, False))
        if "near_days" in body:
            given["near_days"] = _number("near_days", body["near_days"], 0, 60)
        if "desk" in body:
            given["desk"] = _text("desk", body["desk"]).rstrip("/")
        return cls(**given)

    def mailboxes(self) -> dict[str, frozenset[Level]]:
        """Every mailbox with the levels at which it hears."""
        by_level = dict(zip(LEVELS, (self.liaison, self.head, self.procuratorate), strict=True))
        every = dict.fromkeys(box for boxes in by_level.values() for box in boxes)
        return {box: frozenset(level for level in LEVELS if box in by_level[level]) for box in every}


def _server(body: Any, folder: Path) -> MailServer:
    if not isinstance(body, dict):
        raise UsageError(f"{FILE}: server", found=repr(body)[:60], expected="names with values")
    optional = ("port", "security", "login", "password_file", "ca_file")
    known_keys(f"{FILE}: server", body, required=("host",), optional=optional)
    host = _text("server: host", body["host"])
    security = _among("server: security", body.get("security", "starttls"), get_args(Security))
    if security == "none" and host not in _LOOPBACK:
        raise UsageError(
            f"{FILE}: server: a mail server without a safe channel",
            found=f"{host}, security: none",
            expected="starttls or tls; none on this machine only",
        )
    login, file = body.get("login"), body.get("password_file")
    if (login is None) != (file is None):
        raise UsageError(f"{FILE}: server", found="one of them", expected="login and password_file, or none")
    return MailServer(
        host,
        _number("server: port", body.get("port", _PORTS[security]), 1, 65535),
        security,
        None if login is None else _text("server: login", login),
        None if file is None else folder / _text("server: password_file", file),
        None if body.get("ca_file") is None else folder / _text("server: ca_file", body["ca_file"]),
    )


def _mailboxes(name: str, body: Any) -> tuple[str, ...]:
    wrong = not isinstance(body, list) or len(body) > _MOST_BOXES
    if wrong or not all(isinstance(one, str) and _MAILBOX.match(one) for one in body):
        raise UsageError(
            f"{FILE}: {name}", found=repr(body)[:80], expected="mailboxes such as liaison@csrc.example"
        )
    return tuple(dict.fromkeys(body))


def _clocks(body: Any) -> tuple[time, ...]:
    if not isinstance(body, list) or not body:
        raise UsageError(f"{FILE}: digest_at", found=repr(body)[:60], expected='times such as ["08:30"]')
    return tuple(sorted(_clock("digest_at", one) for one in body))


def _clock(name: str, value: Any) -> time:
    found = _CLOCK.match(value) if isinstance(value, str) else None
    if found is None:
        raise UsageError(
            f"{FILE}: {name}",
            found=repr(value)[:40],
            expected='a time such as "08:30"',
            remedy="put it into quotation marks",
        )
    return time(int(found[1]), int(found[2]))


def _among(name: str, value: Any, allowed: Sequence[Any]) -> Any:
    if value not in allowed:
        words = ", ".join(str(one).lower() if isinstance(one, bool) else str(one) for one in allowed)
        raise UsageError(f"{FILE}: {name}", found=repr(value)[:40], expected=words)
    return value


def _number(name: str, value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{FILE}: {name}", found=repr(value)[:40], expected=f"{least} to {most}")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise UsageError(f"{FILE}: {name}", found=repr(value)[:60], expected="a text")
    return value.strip()
