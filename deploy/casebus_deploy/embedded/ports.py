"""Free loopback ports for embedded servers."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from pathlib import Path

from casebus_schemas.errors import BusError

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 15_000


def free_ports(count: int) -> tuple[int, ...]:
    """Distinct ports of 127.0.0.1 on which nothing listens now.

    They lie below the range that the system hands to outgoing connections: otherwise a client that keeps
    trying a stopped server may be given the server's own port, and the server cannot come back.
    """
    highest = 32_000
    if _EPHEMERAL.is_file():
        highest = min(highest, int(_EPHEMERAL.read_text(encoding="ascii").split()[0]))
    low = _LOWEST if highest > _LOWEST + 1_000 else 1_025
    candidates = list(range(low, highest))
    random.SystemRandom().shuffle(candidates)
    found: list[int] = []
    with ExitStack() as held:
        for port in candidates:
            if len(found) == count:
                break
            probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    if len(found) < count:
        raise BusError("no free port on 127.0.0.1", found=str(len(found)), expected=str(count))
    return tuple(found)


def listening(port: int) -> bool:
    """Whether something accepts connections on this port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
