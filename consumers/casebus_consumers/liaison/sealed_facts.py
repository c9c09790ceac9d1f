"""What was sealed for an agency in the events that a finding is about, for the officer who answers it."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from casebus_producers.sealing.opener import Opened

from .sealed_view import sealed_lines

_OPENED = "finding.opened"


class Heard(Protocol):
    """A notice with its digest, and its sealed part where there is one."""

    @property
    def opened(self) -> Opened | None:
        """The sealed part."""

    def to_json(self) -> dict[str, Any]:
        """JSON of docs/records.md 5."""


class SealedFacts:
    """Notes, while notices pass, what each finding is about and what is sealed in that."""

    def __init__(self) -> None:
        self._sealed: dict[str, tuple[str, Opened]] = {}
        self._about: dict[str, list[str]] = {}

    def noted(self, notices: Iterable[tuple[Heard, str]]) -> Iterator[dict[str, Any]]:
        """The notices as JSON with their events' digests, each noted as it passes."""
        for notice, digest in notices:
            told = {**notice.to_json(), "digest": digest}
            event = told["event"]
            if notice.opened is not None:
                self._sealed[digest] = event["type"], notice.opened
            if event["type"] == _OPENED:
                for one in event["data"]["findings"]:
                    accounts = one["accounts"]
                    self._about[one["id"]] = [said["event"] for said in accounts if said.get("event")]
            yield told

    def lines(self, finding: str) -> Iterator[str]:
        """Lines for the events of a finding in which something is sealed, all facts behind the mark."""
        for digest in dict.fromkeys(self._about.get(finding, ())):
            if digest in self._sealed:
                type, opened = self._sealed[digest]
                yield f"密封内容 sealed in {type} {digest[:16]}"
                yield from sealed_lines(opened)
