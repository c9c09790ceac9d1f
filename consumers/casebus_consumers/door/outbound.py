"""Requests of the door to other machines: to judged addresses, without redirects, with an end in time."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from casebus_schemas.errors import RetryLater

from .addresses import Network, Resolve, Target, judged, resolve_name, target_of

Connect = Callable[[tuple[str, int], float], socket.socket]
CONNECT_TIMEOUT_S = 10.0
_MOST_OF_AN_ANSWER = 4_096


@dataclass(frozen=True, slots=True)
class Answer:
    """What another machine answered; of the body only the beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outbound:
    """Calls other machines. Knows no proxy, follows no redirect, keeps no cookie. For any thread."""

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        *,
        ca_file: Path | None = None,
        certificate: tuple[Path, Path] | None = None,
        resolve: Resolve = resolve_name,
        connect: Connect = socket.create_connection,
    ) -> None:
        """`allowed` are internal networks that may be reached; `ca_file` is trusted, not the system's.

        `certificate`, with its private key, is shown to whoever asks for one.
        """
        self._allowed = tuple(allowed)
        self._ca_file = ca_file
        self._certificate = certificate
        self._resolve = resolve
        self._connect = connect

    def check(self, url: str) -> None:
        """Raises UsageError if the URL must not be called, RetryLater if its name cannot be resolved now."""
        judged(target_of(url), self._allowed, self._resolve)

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Answer:
        """The answer to a POST, whatever its status.

        Raises RetryLater where there is none in time, UsageError where the address must not be reached.
        """
        with self.open("POST", url, headers, body, timeout_s) as response:
            said = response.read(_MOST_OF_AN_ANSWER)
            return Answer(
                response.status, {name.lower(): value for name, value in response.getheaders()}, said
            )

    @contextmanager
    def open(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
    ) -> Iterator[http.client.HTTPResponse]:
        """An answer to be read within the block; all of it ends after `timeout_s`. Raises as `post`."""
        target = target_of(url)
        address = judged(target, self._allowed, self._resolve)
        try:
            with self._connected(target, address, timeout_s) as connection:
                connection.request(method, target.path, body, dict(headers))
                yield connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise RetryLater(
                f"{target.host} does not answer", found=f"{type(error).__name__}: {error}"[:200]
            ) from error

    @contextmanager
    def _connected(
        self, target: Target, address: str, timeout_s: float
    ) -> Iterator[http.client.HTTPConnection]:
        sock = self._connect((address, target.port), min(timeout_s, CONNECT_TIMEOUT_S))
        # The socket's own limit is for each read: who sends a byte now and then would hold us for ever.
        ends = threading.Timer(timeout_s, _cut, (sock,))
        ends.daemon = True
        ends.start()
        try:
            sock.settimeout(timeout_s)
            if target.secure:
                context = ssl.create_default_context(cafile=self._ca_file)
                if self._certificate is not None:
                    context.load_cert_chain(*self._certificate)
                sock = context.wrap_socket(sock, server_hostname=target.host)
                ends.args = (sock,)
            kind = http.client.HTTPSConnection if target.secure else http.client.HTTPConnection
            connection = kind(target.host, target.port, timeout=timeout_s)
            connection.sock = sock
            yield connection
        finally:
            ends.cancel()
            sock.close()


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
