"""The columns of a file for an event type, made from its schema, and a row of cells as an event."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any

from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_schemas.texts.symbols import symbols
from casebus_schemas.wire.ids import message_uuid
from casebus_schemas.wire.json_text import canonical

Cell = str | int | float | bool | Decimal | date | datetime | None
"""What a cell holds; None where it is empty."""
MOST_REPEATED = 50
"""Groups of one list in a row, such as suspects."""
_LEFT_OUT = {"occurred_at", "sealed", "tokens"}
"""`time` says the first; personal data go the way of `casebus publish`, which makes the last."""
_SEPARATOR = re.compile(r"[;；\n]")
_NUMBERED = re.compile(r"\d+")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\Z")
_TIME = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[ T](\d{1,2}):(\d{2})(:\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?\Z"
)
_CHINESE = re.compile("[\u4e00-\u9fff]")
"""A field's text is English, then what it is called in Chinese."""
_BEIJING = "+08:00"
_YES, _NO = {"true", "1", "yes", "是"}, {"false", "0", "no", "否"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `path` leads to its field in the event; `en` and `zh` are its heads."""

    path: tuple[str | int, ...]
    kind: str
    en: str
    zh: str
    doc: str
    required: bool
    words: Mapping[str, str]
    """Symbols of an enumeration by what they are called."""
    symbols: tuple[str, ...] = ()

    @property
    def pointer(self) -> str:
        """JSON pointer of the field."""
        return "".join(f"/{step}" for step in self.path)


_ATTRIBUTES = (
    Column(("type",), "string", "type", "事件类型", "The event type; that of the file's name.", False, {}),
    Column(("id",), "string", "id", "事件标识", "A UUID; else message_no or the row names it.", False, {}),
    Column(("time",), "timestamp-millis", "time", "发生时间", "When it happened, in Beijing.", True, {}),
    Column(("source",), "string", "source", "来源单位", "/agency/unit; /agency.", False, {}),
    Column(("subject",), "string", "subject", "案件链", "The chain id, if it is known.", False, {}),
)

_OF_THE_EVENT = {one.en for one in _ATTRIBUTES}


@cache
def columns_of(type: str, repeated: int = 1) -> tuple[Column, ...]:
    """The columns of a type's newest schema, each list of records `repeated` times.

    Raises UsageError if there is no such type.
    """
    schema = Catalog.load().latest(type)
    found = [*_ATTRIBUTES, *_fields(schema, schema.annotated, ("data",), "", "", True, repeated)]
    twice = {zh for zh, count in Counter(one.zh for one in found).items() if count > 1}
    return tuple(replace(one, zh=f"{one.zh}（{one.en}）") if one.zh in twice else one for one in found)


def _fields(
    schema: EventSchema,
    record: Mapping[str, Any],
    path: tuple[str | int, ...],
    en: str,
    zh: str,
    required: bool,
    repeated: int,
) -> Iterator[Column]:
    # An envelope's fields stand without a prefix, as those of the event do.
    envelope = next((one["type"] for one in record["fields"] if one["name"] == "envelope"), None)
    of_envelope = [] if envelope is None else _resolved(schema, envelope)["fields"]
    taken = _OF_THE_EVENT | {one["name"] for one in of_envelope} if path == ("data",) else set()
    for field in record["fields"]:
        name = field["name"]
        if name in _LEFT_OUT:
            continue
        optional = "default" in field or not required
        head_en = f"data.{name}" if name in taken else f"{en}{name}"
        doc, _, called = field.get("doc", "").rpartition(". ")
        head_zh = zh + (re.split("[：；（，]", called)[0] if _CHINESE.search(called) else name)
        of, listed = _resolved(schema, field["type"]), False
        if of["type"] == "array":
            of, listed = _resolved(schema, of["items"]), True
        if of["type"] == "record":
            for number in range(1, (repeated if listed else 1) + 1):
                step = f".{number}." if listed else "."
                shown = f"{head_zh}{number}·" if listed else f"{head_zh}·"
                if name == "envelope":
                    step, head_en, shown = "", "", ""
                place = (*path, name, number - 1) if listed else (*path, name)
                yield from _fields(schema, of, place, head_en + step, shown, not optional, repeated)
            continue
        kind = of.get("logicalType", of["type"])
        if kind == "bytes":
            continue
        marks = tuple(of.get("symbols", ()))
        known = symbols().get(str(of.get("name", "")).rpartition(".")[2], {})
        words: dict[str, str] = {}
        for symbol in marks:
            if symbol in known:
                words |= {known[symbol].zh: symbol, known[symbol].en: symbol}
        yield Column(
            (*path, name),
            "list" if listed else kind,
            head_en,
            head_zh,
            doc,
            not optional,
            words,
            marks,
        )


def _resolved(schema: EventSchema, of: Any) -> Mapping[str, Any]:
    """A type without null and names."""
    if isinstance(of, list):
        (of,) = [branch for branch in of if branch != "null"]
    if isinstance(of, str):
        of = schema.definitions.get(of, {"type": of})
    if isinstance(of["type"], dict | list):
        return _resolved(schema, of["type"])
    found: Mapping[str, Any] = of
    return found


def heads_of(type: str, heads: Sequence[str]) -> list[Column | None]:
    """The column of each head, English or Chinese; None where there is none."""
    numbers = [int(one) for head in heads for one in _NUMBERED.findall(head)[:4] if len(one) < 4]
    repeated = min(max([1, *numbers]), MOST_REPEATED)
    known = {name: one for one in columns_of(type, repeated) for name in (one.en, one.zh)}
    return [known.get(head.strip().removesuffix("*").strip()) for head in heads]


def event_of(
    columns: Sequence[Column], cells: Sequence[Cell], type: str, agency: str, seen: Counter[bytes]
) -> tuple[dict[str, Any], dict[str, Column]]:
    """The event that a row says, and its columns by JSON pointer in the event.

    A row without id and message number is named by what it says, so that a file that is read twice says it
    once; `seen` counts equal rows of one file.
    """
    event: dict[str, Any] = {"specversion": "1.0", "type": type, "source": f"/{agency}", "data": {}}
    places: dict[str, Column] = {}
    lists: dict[tuple[str | int, ...], dict[int, int]] = {}
    for column, cell in zip(columns, cells, strict=False):
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        pointer = _put(event, column.path, _value(column, cell), lists)
        places[pointer] = column
    if event.get("id") is None and event["data"].get("envelope", {}).get("message_no") is None:
        said = sha256(canonical(event)).digest()
        seen[said] += 1
        event["id"] = str(message_uuid(agency, f"row {said.hex()} {seen[said]}"))
    return event, places


def _put(
    event: dict[str, Any],
    path: tuple[str | int, ...],
    value: Any,
    lists: dict[tuple[str | int, ...], dict[int, int]],
) -> str:
    """Puts a value at its place; groups of a list that are empty leave no gap. The pointer of the place."""
    here: Any = event
    pointer = ""
    for at, step in enumerate(path):
        last = at == len(path) - 1
        if isinstance(step, int):
            known = lists.setdefault(path[:at], {})
            step = known.setdefault(step, len(known))
            while len(here) <= step:
                here.append({})
        elif not last:
            here.setdefault(step, [] if isinstance(path[at + 1], int) else {})
        pointer += f"/{step}"
        if last:
            here[step] = value
        else:
            here = here[step]
    return pointer


def _value(column: Column, cell: Cell) -> Any:
    """A cell as JSON of the door; what cannot be one is left as it is, for the door to say so."""
    if column.kind == "list":
        return [one.strip() for one in _SEPARATOR.split(_text(cell)) if one.strip()]
    if column.kind == "boolean":
        text = _text(cell).strip().lower()
        return True if text in _YES else False if text in _NO else text
    if column.kind in ("date", "timestamp-millis"):
        return _when(column.kind, cell)
    text = _text(cell).strip()
    if column.kind == "enum":
        return column.words.get(text, text)
    if column.kind in ("int", "long"):
        return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text
    if column.kind in ("uuid", "fixed"):
        return text.lower()
    return text


def _text(cell: Cell) -> str:
    """A cell as text: numbers without what the sheet adds to them."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else format(Decimal(repr(cell)), "f")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _when(kind: str, cell: Cell) -> str:
    """A day or a time in ISO; without an offset it is Beijing's."""
    if isinstance(cell, datetime):
        text = cell.isoformat(timespec="seconds")
        return text[:10] if kind == "date" else text + ("" if cell.tzinfo else _BEIJING)
    text = _text(cell).strip()
    if (day := _DAY.match(text)) is not None:
        text = f"{day[1]}-{int(day[2]):02}-{int(day[3]):02}"
        return text if kind == "date" else f"{text}T00:00:00{_BEIJING}"
    if (time := _TIME.match(text)) is not None:
        clock = f"{int(time[4]):02}:{time[5]}{time[6] or ':00'}"
        return f"{time[1]}-{int(time[2]):02}-{int(time[3]):02}T{clock}{time[7] or _BEIJING}"
    return text
