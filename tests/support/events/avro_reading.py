"""A value written with one schema and read by fastavro with another."""

from io import BytesIO
from typing import Any

import fastavro

from casebus_schemas.catalogue.schema_tree import definitions, normalised
from casebus_schemas.wire.logical import without_logical_types


def _sample(schema: Any, named: Any, turn: int) -> Any:
    """A value; over the turns every symbol, both branches of a union, empty and full lists come up."""
    if isinstance(schema, list):
        return _sample(schema[turn % len(schema)], named, turn)
    if isinstance(schema, str):
        schema = named.get(schema, {"type": schema})
    match schema["type"]:
        case "record":
            return {
                field["name"]: _sample(field["type"], named, turn + index)
                for index, field in enumerate(schema["fields"])
            }
        case "array":
            return [_sample(schema["items"], named, turn + n) for n in range(turn % 3)]
        case "enum":
            return schema["symbols"][turn % len(schema["symbols"])]
        case "fixed":
            return bytes([turn]) * schema["size"]
        case "null":
            return None
        case "boolean":
            return turn % 2 == 0
        case "int" | "long":
            return turn * 1001 - 2000
        case "double":
            return turn / 4
        case "bytes":
            return bytes([0xFF, turn])
        case _:
            return f"text {turn}"


def read_back(writer: Any, reader: Any, turn: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The value of that turn and what the reader makes of it; logical types are left out."""
    plain = normalised(without_logical_types(writer))
    value = _sample(plain, definitions(plain), turn)
    body = BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(plain), value)
    length = body.tell()
    body.seek(0)
    wanted = fastavro.parse_schema(normalised(without_logical_types(reader)))
    read: Any = fastavro.schemaless_reader(body, fastavro.parse_schema(plain), wanted)
    assert body.tell() == length
    return value, read
