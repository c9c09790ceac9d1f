"""Tries logins: what a cluster says of its users does not tell whether a password file still fits."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
)

from .logins import password_file

_TIMEOUT_S = 10.0
_AT_ONCE = 8
_REFUSED = (AuthenticationFailedError, SaslAuthenticationFailed)


def refused_logins(config: Mapping[str, Any], users: Iterable[str], credentials: Path) -> tuple[str, ...]:
    """Those of the users whom the cluster refuses with the password in their file, in their order.

    `config` is that of a client which reaches the cluster (servers, protocol, authority). Files that are not
    there are not tried. Raises KafkaError if the cluster does not answer.
    """
    tried = [
        (user, file.read_text(encoding="utf-8").strip())
        for user in users
        if (file := password_file(credentials, user)).is_file()
    ]
    answers = _tried(config, tried)
    return tuple(user for (user, _), taken in zip(tried, answers, strict=True) if not taken)


def is_taken(config: Mapping[str, Any], user: str, password: str) -> bool:
    """Whether the cluster lets this user in with this password. Raises KafkaError if it does not answer."""
    return _tried(config, [(user, password)])[0]


def _tried(config: Mapping[str, Any], tried: list[tuple[str, str]]) -> list[bool]:
    # In a thread of its own: the caller may be inside an event loop.
    with ThreadPoolExecutor(1, thread_name_prefix="tried-logins") as thread:
        return thread.submit(asyncio.run, _all(config, tried)).result()


async def _all(config: Mapping[str, Any], tried: list[tuple[str, str]]) -> list[bool]:
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(user: str, password: str) -> bool:
        async with room:
            return await _is_taken(config, user, password)

    return await asyncio.gather(*(one(user, password) for user, password in tried))


async def _is_taken(config: Mapping[str, Any], user: str, password: str) -> bool:
    servers = config["bootstrap_servers"]
    names = servers.split(",") if isinstance(servers, str) else list(servers)
    protocol = config.get("security_protocol") or "SASL_PLAINTEXT"
    context = ssl.create_default_context(cafile=config.get("ssl_cafile")) if protocol == "SASL_SSL" else None
    last: Exception = KafkaConnectionError("no server is named")
    for name in names:
        host, _, port = name.rpartition(":")
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                connection = await create_conn(
                    host,
                    int(port),
                    client_id="casebus-tries-logins",
                    security_protocol=protocol,
                    ssl_context=context,
                    sasl_mechanism="SCRAM-SHA-512",
                    sasl_plain_username=user,
                    sasl_plain_password=password,
                )
        except _REFUSED:
            return False
        except (KafkaError, OSError, TimeoutError) as error:
            last = error
            continue
        connection.close()
        return True
    raise KafkaConnectionError(f"no server lets anybody try to log in: {last!r}") from last
