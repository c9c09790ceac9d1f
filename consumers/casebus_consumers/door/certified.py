"""HTTP over TLS that tells each request whose certificate its connection has shown."""

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from .clients import CERTIFICATE
from .tls import names_in

_STATE = "app_state"
"""What uvicorn's protocols copy into the state of each request of a connection."""


class CertifiedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen when uvicorn is imported
    """HTTP as uvicorn speaks it; each request's state has the names of its connection's certificate."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Reads the certificate that the handshake has verified."""
        super().connection_made(transport)
        shown = transport.get_extra_info("ssl_object")
        names: tuple[str, ...] = names_in(shown.getpeercert()) if shown is not None else ()
        state: dict[str, Any] = getattr(self, _STATE)
        setattr(self, _STATE, {**state, CERTIFICATE: names})
