"""A small writable registry of the Confluent dialect, as an agency may run one: for tests of filling it."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class Problem(Exception):
    """An error of the dialect."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class FakeRegistry:
    """Subjects, ids, modes; ids may be named in mode IMPORT only, and never mean two schemas."""

    def __init__(self) -> None:
        self.subjects: dict[str, dict[int, int]] = {}
        self.schemas: dict[int, str] = {}
        self.modes: dict[str, str] = {}
        self.levels: dict[str, str] = {}
        self.log: list[tuple[str, str]] = []
        self.lock = threading.Lock()

    def history(self, subject: str) -> dict[int, int]:
        """Ids by version."""
        if subject not in self.subjects:
            raise Problem(404, 40401, f"Subject '{subject}' not found.")
        return self.subjects[subject]

    def version(self, subject: str, text: str) -> dict[str, Any]:
        """One version."""
        history = self.history(subject)
        if text in ("latest", "-1"):
            text = str(max(history))
        if not re.fullmatch("[0-9]+", text) or int(text) < 1:
            raise Problem(422, 42202, f"The specified version '{text}' is not a valid version id.")
        if int(text) not in history:
            raise Problem(404, 40402, f"Version {text} not found.")
        id_ = history[int(text)]
        return {"subject": subject, "version": int(text), "id": id_, "schema": self.schemas[id_]}

    def schema(self, id_: int) -> str:
        """One schema."""
        if id_ not in self.schemas:
            raise Problem(404, 40403, f"Schema {id_} not found")
        return self.schemas[id_]

    def look_up(self, subject: str, body: Any) -> dict[str, Any]:
        """The version that equals the schema sent."""
        sent = _schema_of(body)
        for version in self.history(subject):
            found = self.version(subject, str(version))
            if json.loads(found["schema"]) == sent:
                return found
        raise Problem(404, 40403, "Schema not found")

    def register(self, subject: str, body: Any) -> dict[str, Any]:
        """Adds a version, under the id and version named if the mode is IMPORT."""
        _schema_of(body)
        importing = self.modes.get(subject, "READWRITE") == "IMPORT"
        if importing != ("id" in body):
            raise Problem(422, 42205, f"Subject {subject} is {'' if importing else 'not '}in import mode")
        try:
            return {"id": self.look_up(subject, body)["id"]}
        except Problem:
            pass
        history = self.subjects.setdefault(subject, {})
        id_ = body["id"] if importing else max(self.schemas, default=0) + 1
        version = body.get("version") or max(history, default=0) + 1
        if self.schemas.get(id_, body["schema"]) != body["schema"] or version in history:
            raise Problem(422, 42207, f"Overwrite new schema with id {id_} is not permitted.")
        self.schemas[id_] = body["schema"]
        history[version] = id_
        return {"id": id_}

    def set_mode(self, subject: str, body: Any, query: dict[str, list[str]]) -> dict[str, Any]:
        """IMPORT over existing versions needs force."""
        if body["mode"] == "IMPORT" and subject in self.subjects and query.get("force") != ["true"]:
            raise Problem(422, 42205, "Cannot import since found existing subjects")
        self.modes[subject] = body["mode"]
        return {"mode": body["mode"]}

    def mode(self, subject: str) -> dict[str, Any]:
        """The subject's own mode."""
        if subject not in self.modes:
            raise Problem(404, 40409, f"Subject '{subject}' does not have subject-level mode configured")
        return {"mode": self.modes[subject]}

    def drop_mode(self, subject: str) -> dict[str, Any]:
        """Back to the registry's mode."""
        return {"mode": self.modes.pop(subject)}

    def set_level(self, subject: str, body: Any) -> dict[str, Any]:
        """Compatibility of a subject."""
        self.levels[subject] = body["compatibility"]
        return {"compatibility": body["compatibility"]}

    def answer(self, method: str, target: str, raw: bytes) -> Any:
        """The JSON of an answer. Raises Problem."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        if method in ("POST", "PUT"):
            try:
                body = json.loads(raw)
            except ValueError:
                raise Problem(400, 400, "not JSON") from None
        routes: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", "/subjects", lambda: sorted(self.subjects)),
            ("POST", "/subjects/([^/]+)", lambda s: self.look_up(s, body)),
            ("GET", "/subjects/([^/]+)/versions", lambda s: sorted(self.history(s))),
            ("POST", "/subjects/([^/]+)/versions", lambda s: self.register(s, body)),
            ("GET", "/subjects/([^/]+)/versions/([^/]+)", self.version),
            ("GET", "/schemas/types", lambda: ["AVRO"]),
            ("GET", "/schemas/ids/([0-9]+)", lambda i: {"schema": self.schema(int(i))}),
            ("GET", "/schemas/ids/([0-9]+)/schema", lambda i: json.loads(self.schema(int(i)))),
            ("GET", "/mode/([^/]+)", self.mode),
            ("PUT", "/mode/([^/]+)", lambda s: self.set_mode(s, body, query)),
            ("DELETE", "/mode/([^/]+)", self.drop_mode),
            ("PUT", "/config/([^/]+)", lambda s: self.set_level(s, body)),
        ]
        known = False
        for verb, pattern, act in routes:
            if match := re.fullmatch(pattern, parts.path):
                known = True
                if verb == method:
                    return act(*map(unquote, match.groups()))
        status = 405 if known else 404
        raise Problem(status, status, f"HTTP {status}")


def _schema_of(body: Any) -> Any:
    try:
        return json.loads(body["schema"])
    except (KeyError, TypeError, ValueError):
        raise Problem(422, 42201, "Invalid schema") from None


@contextmanager
def running(fake: FakeRegistry) -> Iterator[str]:
    """Serves it on loopback; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with fake.lock:
                fake.log.append((self.command, self.path))
                try:
                    status, body = 200, fake.answer(self.command, self.path, raw)
                except Problem as problem:
                    status = problem.status
                    body = {"error_code": problem.code, "message": problem.message}
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 -- http.server's names

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
