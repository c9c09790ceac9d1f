"""Hypothesis strategies: any data that an event's schema allows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from casebus_schemas.catalogue.catalog import EventSchema

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_LAST_MS = (datetime(9899, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=_DIRECTION), max_size=12)


def event_data(schema: EventSchema) -> st.SearchStrategy[dict[str, Any]]:
    """Data of one event, every field present."""
    return _strategy(schema.schema, schema.definitions)


def _strategy(schema: Any, named: Any) -> st.SearchStrategy[Any]:
    if isinstance(schema, list):
        (inner,) = [branch for branch in schema if branch != "null"]
        return st.none() | _strategy(inner, named)
    if isinstance(schema, str):
        schema = named.get(schema, {"type": schema})
    match schema.get("logicalType", schema["type"]):
        case "record":
            return st.fixed_dictionaries(
                {field["name"]: _strategy(field["type"], named) for field in schema["fields"]}
            )
        case "array":
            return st.lists(_strategy(schema["items"], named), max_size=2)
        case "enum":
            return st.sampled_from(schema["symbols"])
        case "decimal":
            bound = 10 ** schema["precision"] - 1
            scale = schema["scale"]
            return st.integers(-bound, bound).map(lambda number: Decimal(number).scaleb(-scale))
        case "timestamp-millis":
            return st.integers(_FIRST_MS, _LAST_MS).map(lambda ms: _EPOCH + timedelta(milliseconds=ms))
        case "date":
            return st.dates(date(1900, 1, 1), date(9899, 12, 31))
        case "uuid":
            return st.uuids()
        case "fixed":
            return st.binary(min_size=schema["size"], max_size=schema["size"])
        case "bytes":
            return st.binary(max_size=40)
        case "boolean":
            return st.booleans()
        case "int":
            return st.integers(-(2**31), 2**31 - 1)
        case "long":
            return st.integers(-(2**63), 2**63 - 1)
        case "double":
            return st.floats(-1e300, 1e300)
        case _:
            return _TEXT
