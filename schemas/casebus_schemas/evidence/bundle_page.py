"""The page that a bundle carries for people: a function of its content, so that a reader can make it again.

Without script, and fit to be printed. `LAYOUT` changes with its form and its words: a reader of another
layout cannot tell whether a page is right, and says so.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from html import escape
from typing import Any
from uuid import UUID

from casebus_schemas.admission.verdict import BUS_HEADERS, HEADER, SaidVerdict, counts_now, said_in
from casebus_schemas.errors import BusError
from casebus_schemas.texts.field_labels import field_labels
from casebus_schemas.texts.harmless import harmless

from .avro_values import Schemas
from .bundle_coverage import coverage, first_times
from .bundle_file import Bundle
from .bundle_reader import ShownEntry, is_key_log
from .checkpoint import Checkpoint
from .epoch import EpochLeaf
from .leaf import parse_leaf

LAYOUT = b"<!doctype html><!-- casebus page 2 -->"
_BEIJING = timezone(timedelta(hours=8))
_ADMISSION = "bus.admission"
_UNREADABLE = (
    BusError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    StopIteration,
    RecursionError,
)
"""What a schema or a content that somebody made up may raise."""
_STYLE = (
    "body{font:15px/1.6 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:60em;margin:2em auto}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.2em .5em;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}code{font-family:monospace;font-size:.9em}"
    ".warn{border:2px solid #900;padding:.5em 1em}section{break-inside:avoid-page}"
)
_TITLE = "案件证据 Evidence of a case"
_WARNING = (
    "本页仅在用您自己的策略校验证据包通过之后方可采信。"
    "This page counts only after the bundle was verified under your own policy:"
)
_NOT_SHOWN = (
    (
        "是否另有总线未裁定、或上列时间之前的发言：缺席须另行证明",
        "whether more was said, not judged by the bus or before the times above: absence needs a proof",
    ),
    (
        "所述是否属实：只证明何时由何单位说了什么",
        "whether what was said is true: only who said what, and when",
    ),
    ("只列摘要的内容", "contents of which only the hash is given"),
)


def page(bundle: Bundle) -> bytes:
    """The page in UTF-8, the same bytes for the same content; the bundle's own page is not looked at."""
    return "\n".join(_lines(bundle)).encode("utf-8", "replace") + b"\n"


def _lines(bundle: Bundle) -> Iterator[str]:
    try:
        checkpoint, epoch = (
            Checkpoint.parse(bundle.epoch.note.text),
            EpochLeaf.parse(bundle.epoch.extra or b""),
        )
        schemas = Schemas(bundle.schemas)
        entries = [
            ShownEntry(leaf := parse_leaf(raw), headers, bundle.payloads.get(leaf.value_sha256 or b""))
            for name, log in bundle.logs.items()
            if not is_key_log(name)
            for raw, headers in zip(log.leaves, log.headers, strict=True)
            if headers
        ]
        verdicts = dict(_verdicts(entries))
        prefix = f"{checkpoint.origin}/"
        heads = {head.origin.removeprefix(prefix): head for head in bundle.heads}
        covered = coverage(heads, bundle.logs, first_times(entry.leaf for entry in entries))
    except (BusError, ValueError) as error:
        yield f"{LAYOUT.decode()}<meta charset='utf-8'><p>{_text(str(error))}"
        return
    yield LAYOUT.decode()
    yield f"<html lang='zh'><meta charset='utf-8'><title>{_TITLE}</title><style>{_STYLE}</style>"
    yield f"<h1>{_TITLE}</h1>"
    yield f"<p class='warn'>{_WARNING} <code>verify-bundle FILE --policy POLICY</code></p>"
    yield "<table>"
    yield _row("案件链 chain", str(bundle.about.get("chain")))
    yield _row("账本 ledger", checkpoint.origin)
    yield _row("封存期 epoch", f"{epoch.number}, {_time(epoch.sealed_at_ms)}")
    yield _row("检查点 checkpoint", f"{checkpoint.size}, {checkpoint.root.hex()}")
    for line in bundle.epoch.note.signatures:
        yield _row("签名 signature line", line.name)
    for one in covered:
        since = "" if one.since_ms is None else f" ({_time(one.since_ms)} →)"
        whole = f"{one.looked_at}{since}" if one.problem is None else f"未示 not shown: {one.problem}"
        yield _row(f"{one.topic} 无遗漏 nothing left out", whole)
    yield "</table>"
    shown = [entry for entry in entries if entry.leaf.topic != _ADMISSION]
    shown.sort(key=lambda entry: (entry.leaf.timestamp_ms, entry.place))
    for number, entry in enumerate(shown, start=1):
        yield from _entry(number, entry, verdicts.get(entry.place), schemas)
    yield "<h2>未涵盖 Not covered</h2><ul>"
    for zh, en in _NOT_SHOWN:
        yield f"<li>{zh} {en}"
    yield "</ul></html>"


def _verdicts(entries: list[ShownEntry]) -> Iterator[tuple[str, SaidVerdict]]:
    """The verdict on each place that counts."""
    found: dict[str, SaidVerdict] = {}
    for entry in entries:
        headers = entry.record.headers
        if (
            entry.leaf.topic == _ADMISSION
            and tuple(n for n, _ in headers[-len(BUS_HEADERS) :]) == BUS_HEADERS
        ):
            said = next(value for name, value in reversed(headers) if name == HEADER)
            counts_now(found, said_in(said or b""))
    yield from found.items()


def _entry(number: int, entry: ShownEntry, verdict: SaidVerdict | None, schemas: Schemas) -> Iterator[str]:
    record = entry.record
    first = {name: record.header(name) or b"" for name in ("ce_type", "ce_source", "ce_time", "ce_id")}
    said = {name: value.decode("utf-8", "replace") for name, value in first.items()}
    schema: Any = {}
    content = "<p>内容未列入或不可读 The content is not given, or cannot be read.</p>"
    try:
        body = schemas.decode(record)[1]
        schema = schemas.schema_of(record)
        content = _value(schema, body, {})
    except _UNREADABLE:
        pass
    yield f"<section><h2>{number}. {_text(_label(schema))} {_text(said['ce_type'])}</h2><table>"
    yield _row("发言单位 speaker", said["ce_source"])
    yield _row("自称时间 said to be of", said["ce_time"])
    yield _row("总线收到 recorded by the bus", _time(entry.leaf.timestamp_ms))
    if verdict is not None:
        yield _row("裁定 verdict", " ".join(filter(None, (verdict.verdict, verdict.code, verdict.detail))))
    yield _row("位置 place", entry.place)
    yield _row("编号 id", said["ce_id"])
    digest = entry.leaf.value_sha256
    yield _row("内容摘要 SHA-256", "" if digest is None else digest.hex())
    yield "</table>"
    yield content
    yield "</section>"


def _value(schema: Any, value: Any, names: dict[str, Any]) -> str:
    """A value by its schema, as HTML; fields that are null are left out."""
    if isinstance(schema, str):
        schema = names.get(schema, {"type": schema})
    if isinstance(schema, list):
        return _value(next(branch for branch in schema if branch != "null"), value, names)
    if "name" in schema:
        names[schema["name"]] = schema
    kind = schema["type"]
    if kind == "record":
        rows = [
            _cells(_field(schema, one), _value(one["type"], inner, names))
            for one in schema["fields"]
            if (inner := value[one["name"]]) is not None or _learn(one["type"], names)
        ]
        return f"<table>{''.join(rows)}</table>"
    if kind == "array":
        return "<ol>" + "".join(f"<li>{_value(schema['items'], one, names)}" for one in value) + "</ol>"
    if isinstance(kind, (dict, list)):
        return _value(kind, value, names)
    return _text(_plain(schema, value))


def _label(schema: Any, field: str = "") -> str:
    return field_labels().get(f"{schema.get('name', '')}{field}", "")


def _field(schema: Any, field: Any) -> str:
    return f"{_text(_label(schema, '.' + field['name']))} <code>{_text(field['name'])}</code>"


def _learn(schema: Any, names: dict[str, Any]) -> bool:
    """Remembers the named types of a field that is not shown; False."""
    if isinstance(schema, list):
        for branch in schema:
            _learn(branch, names)
    elif isinstance(schema, dict):
        if "name" in schema:
            names[schema["name"]] = schema
        for one in schema.get("fields", ()):
            _learn(one["type"], names)
        _learn(schema.get("items"), names)
        if not isinstance(schema.get("type"), str):
            _learn(schema.get("type"), names)
    return False


def _plain(schema: Any, value: Any) -> str:
    logical = schema.get("logicalType")
    if logical == "timestamp-millis":
        return _time(value)
    if logical == "date":
        return (
            (date(1970, 1, 1) + timedelta(days=value)).isoformat() if abs(value) < 2_000_000 else str(value)
        )
    if logical == "decimal":
        number = Decimal(int.from_bytes(value, "big", signed=True))
        return f"{number.scaleb(-schema.get('scale', 0)):,f}"
    if logical == "uuid" and isinstance(value, bytes) and len(value) == 16:
        return str(UUID(bytes=value))
    if isinstance(value, bytes):
        return value.hex()
    return {True: "是 yes", False: "否 no"}[value] if isinstance(value, bool) else str(value)


def _row(name: str, value: str) -> str:
    return _cells(name, _text(value))


def _cells(name: str, value: str) -> str:
    return f"<tr><th>{name}</th><td>{value}</td></tr>"


def _text(text: str) -> str:
    return escape(harmless(text))


def _time(time_ms: int) -> str:
    try:
        moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{time_ms} ms"
    beijing = moment.astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M:%S")
    return f"北京时间 {beijing} Beijing ({moment.isoformat(timespec='milliseconds')})"
