"""Which addresses the door may connect to: none that is internal unless the agency's settings name it."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from casebus_schemas.errors import RetryLater, UsageError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

INTERNAL: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "fc00::/7",
            "127.0.0.0/8",
            "::1/128",
        ),
    )
)
"""Networks of an organisation's own (RFC 1918, 6598, 4193) and the machine's own: settings may name parts of
them. What is link-local (a cloud machine's own data among it), unspecified or multicast is never reached."""
_TRANSLATED: tuple[Network, ...] = tuple(
    map(ip_network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10"))
)
"""IPv6 that stands for other addresses (NAT64, Teredo, 6to4, IPv4-compatible) or was once site-local: Python
calls some of them global, though they lead to whatever they stand for."""
_LONGEST_URL = 2_000


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart."""

    secure: bool
    host: str
    port: int
    path: str


def target_of(url: str) -> Target:
    """A URL of http or https. Raises UsageError for what is none, or carries a password or a fragment."""
    try:
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > _LONGEST_URL:
            raise ValueError("characters that a URL does not have")
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _no_url(url) from error
    wrong = parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or parts.fragment
    if wrong or "%" in parts.netloc:
        raise _no_url(url)
    assert host is not None
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host, port or (443 if secure else 80), path)


def read_networks(texts: Sequence[object]) -> tuple[Network, ...]:
    """Internal networks that may be reached. Raises UsageError for one that is no part of `INTERNAL`."""
    found = []
    for text in texts:
        try:
            network = ip_network(text) if isinstance(text, str) else None
        except ValueError:
            network = None
        if network is None or not any(_within(network, one) for one in INTERNAL):
            raise UsageError(
                "no internal network",
                found=repr(text)[:60],
                expected="a part of " + ", ".join(map(str, INTERNAL)),
            )
        found.append(network)
    return tuple(found)


def judged(target: Target, allowed: Sequence[Network], resolve: Resolve) -> str:
    """The address to connect to. The name is resolved once; all that it stands for must be reachable.

    Raises UsageError where one of its addresses must not be, RetryLater where it cannot be resolved.
    """
    try:
        texts = resolve(target.host, target.port)
    except (OSError, UnicodeError) as error:
        raise RetryLater(f"{target.host} cannot be resolved", found=str(error)) from error
    if not texts:
        raise RetryLater(f"{target.host} cannot be resolved", found="no address")
    for text in texts:
        address = ip_address(text.partition("%")[0])
        named = any(_stands_for(address) in network for network in allowed)
        if not named and _is_internal(address):
            raise UsageError(
                "an internal address is not reached",
                found=f"{target.host} = {address}",
                expected="a public address, or one of a network that the settings name",
                remedy="name its network under `reach` in door.yaml if it is your agency's own",
            )
        if not named and not target.secure:
            raise UsageError(
                "plain HTTP to a public address", found=target.host, expected="https", remedy="use https"
            )
    return texts[0]


def resolve_name(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system resolves it. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _stands_for(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _is_internal(address: Address) -> bool:
    if (inner := _stands_for(address)) is not address:
        return _is_internal(inner)
    if any(address in network for network in _TRANSLATED):
        return True
    return not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified


def _within(network: Network, other: Network) -> bool:
    return network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]  # of one version


def _no_url(url: str) -> UsageError:
    return UsageError(
        "no URL that can be called",
        found=repr(url)[:100],
        expected="https://host/path, in ASCII, without user, password or fragment",
    )
