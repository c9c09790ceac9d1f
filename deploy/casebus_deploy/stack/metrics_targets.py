"""Where the services of one stack answer Prometheus, as a file that Prometheus reads (file_sd)."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

FILE = "metrics-targets.json"
HOST = "127.0.0.1"


class MetricsTargets:
    """Gives each service an address of its own on this machine, the same as long as the stack runs."""

    def __init__(self, ports: Callable[[int], Sequence[int]]) -> None:
        """`ports` gives so many free ports."""
        self._ports = ports
        self.addresses: dict[str, str] = {}
        """By the name of the service."""

    def address_of(self, service: str) -> str:
        """Where this service is to answer."""
        if service not in self.addresses:
            self.addresses[service] = f"{HOST}:{self._ports(1)[0]}"
        return self.addresses[service]

    def rows(self) -> list[tuple[str, str, str]]:
        """What is told where, for a table."""
        return [(f"{name} metrics", f"http://{at}/metrics", "") for name, at in self.addresses.items()]

    def write(self, folder: Path) -> Path:
        """Leaves the file for Prometheus in this folder; a label says which service it is."""
        groups = [
            {"targets": [address], "labels": {"service": name}} for name, address in self.addresses.items()
        ]
        fresh = folder / f"{FILE}.new"
        fresh.write_text(json.dumps(groups, indent=1) + "\n", encoding="utf-8")
        return fresh.replace(folder / FILE)
