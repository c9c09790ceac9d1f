"""The document docs/openapi.json (OpenAPI 3.1): the operations of an agency's door."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version as version_of
from importlib.resources import files
from typing import Any

from casebus_consumers.door.asking import JSON, LARGEST, OCTETS
from casebus_consumers.door.operations import OPERATIONS, Operation
from casebus_consumers.door.problems import MEDIA_TYPE
from casebus_schemas.strict_yaml import read_yaml

_FILE = "bodies.yaml"
_ALWAYS = (401, 405, 421, 429, 500, 503)
_STREAM = "text/event-stream"


def document() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "casebus: the door of an agency",
            "version": version_of("casebus"),
            "description": (
                "An agency's systems say and hear by HTTP, through its own outbox, key and inbox. Generated "
                "from operations.py and bodies.yaml. An answer to POST /v1/events means: signed and on disk."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8443", "description": "door_url of connection.json."}],
        "security": [{"key": []}, {"certificate": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The key of a client system: casebus door add-client.",
                },
                "certificate": {
                    "type": "mutualTLS",
                    "description": "A certificate of the agency's own authority, whose name is a client's.",
                },
            },
            "schemas": _bodies(),
        },
    }


def document_text() -> str:
    """The document as the file holds it."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def _bodies() -> Mapping[str, Any]:
    source = (files("casebus_consumers.door") / _FILE).read_text(encoding="utf-8")
    found: Mapping[str, Any] = read_yaml(_FILE, source)
    return found


def _operation(one: Operation) -> dict[str, Any]:
    refused = sorted({*one.refuses, *_ALWAYS} - set(one.answers))
    found: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.en,
        "description": one.zh,
        "parameters": [*_path_parameters(one), *(_query(name, one) for name in one.query), *_headers(one)],
        "responses": {
            **{str(status): _answer(status, _content(one, body)) for status, body in one.answers.items()},
            **{str(status): _answer(status, {MEDIA_TYPE: _ref("Problem")}) for status in refused},
        },
    }
    if one.takes:
        body = {kind: _ref(name) for kind, name in one.takes.items()}
        found["requestBody"] = {"required": True, "content": body}
    if one.path == "/healthz":
        found["security"] = []
    return found


def _path_parameters(one: Operation) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in one.path.split("/") if part.startswith("{")]
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    uuid = {"type": "string", "format": "uuid"}
    return [
        {"name": name, "in": "path", "required": True, "schema": digest if name == "sha256" else uuid}
        for name in names
    ]


def _query(name: str, one: Operation) -> dict[str, Any]:
    schema = one.parameters[name]
    found: dict[str, Any] = {"name": name, "in": "query", "required": False, "schema": schema}
    return found | ({"style": "form", "explode": False} if schema.get("type") == "array" else {})


def _headers(one: Operation) -> list[dict[str, Any]]:
    if one.name != "get_inbox":
        return []
    schema = {"type": "integer", "minimum": 0, "maximum": LARGEST // 10}
    said = "The number of the last notice of a stream that broke off."
    return [
        {"name": "Last-Event-ID", "in": "header", "required": False, "schema": schema, "description": said}
    ]


def _content(one: Operation, body: str) -> dict[str, Any]:
    streams = {_STREAM: {"schema": {"type": "string"}}} if one.name == "get_inbox" else {}
    return {OCTETS if body == "Binary" else JSON: _ref(body), **streams}


def _answer(status: int, content: dict[str, Any]) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": content}


def _ref(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}
