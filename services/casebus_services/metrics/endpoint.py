"""Where a service answers Prometheus: nowhere unless told, on this machine unless an address is named."""

import logging
from importlib.metadata import version

from prometheus_client import GCCollector, ProcessCollector, disable_created_metrics, start_http_server

from casebus_schemas.errors import UsageError

from .named import REGISTRY, gauge

VARIABLE = "CASEBUS_METRICS_ADDRESS"
LOOPBACK = "127.0.0.1"

log = logging.getLogger(__name__)


def serve_metrics(address: str | None) -> None:
    """Answers GET /metrics at `port` or `address:port` from a thread of its own, until the process ends.

    None or nothing: not at all. Plain HTTP without a password: of what is told nothing names a person or a
    case, and whoever names an address that others reach lets the network say who may. Raises UsageError for
    what is no address, or is taken.
    """
    if not address:
        return
    host, port = read_address(address)
    disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs
    gauge("casebus_build_info").labels(version=version("casebus")).set(1)
    ProcessCollector(registry=REGISTRY)
    GCCollector(registry=REGISTRY)
    try:
        start_http_server(port, host, REGISTRY)
    except OSError as error:
        raise UsageError(
            "metrics cannot be told there", found=f"{address}: {error.strerror}", expected="a free address"
        ) from error
    log.info("metrics at http://%s:%d/metrics", host, port)


def read_address(text: str) -> tuple[str, int]:
    """Host and port of `9100`, `0.0.0.0:9100` or `[::]:9100`; a port alone: loopback. Raises UsageError."""
    host, _, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or LOOPBACK
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise UsageError(VARIABLE, found=repr(text)[:80], expected="port, or address:port")
    return host, int(port)
