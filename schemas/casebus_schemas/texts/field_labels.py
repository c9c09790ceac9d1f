"""Chinese labels of all event types and fields, as the schema files of this package have them."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def field_labels() -> Mapping[str, str]:
    """By the full name of a record, `casebus.Envelope`, and of a field in it, `casebus.Envelope.to`."""
    labels: dict[str, str] = {}
    folder = files("casebus_schemas") / "avro"
    for place in (folder, folder / "shared"):
        # A later version of a type comes later, and its words stay.
        for file in sorted(place.iterdir(), key=lambda one: one.name):
            if file.name.endswith(".avsc"):
                labels.update(_labels(json.loads(file.read_text(encoding="utf-8"))))
    return labels


def _labels(schema: Any) -> Iterator[tuple[str, str]]:
    if isinstance(schema, list):
        for branch in schema:
            yield from _labels(branch)
    elif isinstance(schema, dict):
        name = schema.get("name", "")
        if "zh" in schema:
            yield name, schema["zh"]
        for field in schema.get("fields", ()):
            if "zh" in field:
                yield f"{name}.{field['name']}", field["zh"]
            yield from _labels(field["type"])
        yield from _labels(schema.get("items"))
        if not isinstance(schema.get("type"), str):
            yield from _labels(schema.get("type"))
