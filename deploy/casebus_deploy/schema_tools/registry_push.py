"""Fills a Confluent Schema Registry of somebody else with the schemas of the bus, under our own ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import requests

from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_schemas.errors import RetryLater, UsageError
from casebus_services.registry.app import schema_text
from casebus_services.registry.dialect import CONTENT_TYPE, LEVEL
from casebus_services.registry.subjects import Subjects

TIMEOUT_S = 20.0
_NOT_FOUND = (40401, 40402, 40403, 40408, 40409)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of one subject: versions that were there already, versions that were added."""

    subject: str
    present: int
    added: int


def push(url: str, catalog: Catalog, *, topics: bool = False) -> Iterator[Pushed]:
    """Brings every `<record name>` subject, with `topics` also `<topic>-<record name>`, up to the catalogue.

    Idempotent: what is there is left alone; a subject gets what it lacks in import mode (the ids are ours),
    then its former mode back. Nothing is ever deleted. Blocking.
    Raises UsageError if the registry holds something else under one of our ids or versions, or refuses;
    RetryLater if it cannot be reached.
    """
    subjects = Subjects(catalog)
    with _Registry(url) as registry:
        for subject in subjects.names:
            history = subjects.history(subject) or {}
            is_record = any(subject == schema.schema["name"] for schema in history.values())
            if topics or is_record:
                yield _brought(registry, subject, sorted(history.items()))


def _brought(registry: "_Registry", subject: str, history: list[tuple[int, EventSchema]]) -> Pushed:
    lacking = [one for one in history if not registry.holds(subject, *one)]
    if lacking:
        mode = registry.mode(subject)
        registry.set_mode(subject, "IMPORT")
        try:
            for version, schema in lacking:
                registry.add(subject, version, schema)
        finally:
            registry.set_mode(subject, mode)
        registry.put(f"config/{_escaped(subject)}", {"compatibility": LEVEL})
    return Pushed(subject, len(history) - len(lacking), len(lacking))


class _Registry:
    """One registry by its URL, which may hold user and password."""

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise UsageError(
                "not the address of a registry", found=repr(url), expected="http://… or https://…"
            )
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update({"Accept": CONTENT_TYPE, "Content-Type": CONTENT_TYPE})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def holds(self, subject: str, version: int, schema: EventSchema) -> bool:
        """Whether this version stands there with our id. Raises UsageError if another does."""
        found = self._call("GET", f"subjects/{_escaped(subject)}/versions/{version}", absent=True)
        if found is not None and found.get("id") != schema.id:
            raise UsageError(
                f"the registry holds something else as {subject} version {version}",
                found=f"id {found.get('id')}",
                expected=f"id {schema.id}",
                remedy="give the bus a registry, or a context, of its own",
            )
        return found is not None

    def add(self, subject: str, version: int, schema: EventSchema) -> None:
        """Registers a version under our id; the subject is in import mode."""
        body = {"schema": schema_text(schema), "schemaType": "AVRO", "id": schema.id, "version": version}
        answer = self._call("POST", f"subjects/{_escaped(subject)}/versions", body)
        if answer.get("id") != schema.id:
            raise UsageError(
                f"the registry gave {subject} version {version} an id of its own",
                found=answer.get("id"),
                expected=schema.id,
                remedy="a registry that knows the mode IMPORT",
            )

    def mode(self, subject: str) -> str | None:
        """The subject's own mode, None if it follows the registry's."""
        found = self._call("GET", f"mode/{_escaped(subject)}", absent=True)
        return None if found is None else str(found["mode"])

    def set_mode(self, subject: str, mode: str | None) -> None:
        """Sets the subject's mode; None takes its own away."""
        if mode is None:
            self._call("DELETE", f"mode/{_escaped(subject)}", absent=True)
        else:
            self.put(f"mode/{_escaped(subject)}?force=true", {"mode": mode})

    def put(self, path: str, body: dict[str, str]) -> None:
        """A setting."""
        self._call("PUT", path, body)

    def _call(self, method: str, path: str, body: Any = None, *, absent: bool = False) -> Any:
        """The answer's JSON; None if the registry says that there is no such thing and that is `absent`."""
        where = urlsplit(self._url).hostname
        try:
            answer = self._session.request(method, f"{self._url}/{path}", json=body, timeout=TIMEOUT_S)
        except requests.RequestException as error:
            raise RetryLater(
                "the registry cannot be reached",
                found=f"{type(error).__name__} at {where}",
                remedy="try again",
            ) from error
        try:
            found = answer.json()
        except ValueError:
            found = {}
        if answer.ok:
            return found
        code = found.get("error_code") if isinstance(found, dict) else None
        if absent and code in _NOT_FOUND:
            return None
        problem = RetryLater if answer.status_code >= 500 else UsageError
        raise problem(
            f"the registry at {where} refuses {method} {path.partition('?')[0]}",
            found=f"{answer.status_code} {found.get('message', '') if isinstance(found, dict) else ''}"[:500],
            expected="a writable registry of the Confluent dialect that allows the mode IMPORT",
        )


def _escaped(subject: str) -> str:
    return quote(subject, safe="")
