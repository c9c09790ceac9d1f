"""What a form asks for: fields made from an Avro schema, each with its kind, its words and its choices."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from casebus_schemas.catalogue.avro_files import inlined_file
from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_schemas.catalogue.limits import MOST_CHARS
from casebus_schemas.catalogue.schema_tree import definitions
from casebus_schemas.law.charges import crimes
from casebus_schemas.texts.field_labels import field_labels
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.texts.symbols import symbols

Kind = Literal[
    "text", "lines", "texts", "date", "moment", "money", "whole", "flag", "choice", "kept", "record", "list"
]
"""`lines`: a text of several lines; `texts`: one a line; `money`: any decimal; `kept`: not typed."""

_LEFT_OUT = frozenset({"envelope", "sealed"})
_KEPT = frozenset({"tokens"})
"""Fields that a form carries along and does not show: keyed hashes that the sealer computes."""
_KINDS: Mapping[str, Kind] = {
    "string": "text",
    "int": "whole",
    "long": "whole",
    "boolean": "flag",
    "enum": "choice",
    "date": "date",
    "timestamp-millis": "moment",
    "decimal": "money",
    "uuid": "text",
    "fixed": "text",
    "record": "record",
}


@dataclass(frozen=True, slots=True)
class Spec:
    """One field of a form. `fields` are those of a record or of each row of a list."""

    name: str
    kind: Kind
    label: Sentence
    hint: Sentence
    needed: bool
    choices: Sequence[tuple[str, Sentence]] = ()
    suggestions: Literal["articles", "suspects", ""] = ""
    most_chars: int = MOST_CHARS
    default: str = ""
    fields: Sequence["Spec"] = field(default=(), repr=False)


@cache
def specs_of(type: str) -> tuple[Spec, ...]:
    """The facts that a form of this type asks for, by its newest schema, without the envelope."""
    schema = Catalog.load().latest(type)
    facts = [one for one in schema.annotated["fields"] if one["name"] not in _LEFT_OUT]
    return _Making(schema.definitions, field_labels()).record({**schema.annotated, "fields": facts})


@cache
def personal_specs() -> tuple[Spec, ...]:
    """The personal facts that are sealed for the recipients who may read them."""
    source = (files("casebus_schemas.sealed") / "personal.1.avsc").read_text(encoding="utf-8")
    written = json.loads(source)
    whole = inlined_file(written, left_out=frozenset())
    making = _Making(definitions(whole), dict(_labels(written)))
    return tuple(one for one in making.record(whole) if one.name != "version")


@cache
def takes_personal(schema: EventSchema) -> bool:
    """Whether events of this schema have a place for personal data."""
    return any(one["name"] == "sealed" for one in schema.schema["fields"])


@cache
def envelope_list(name: str) -> Spec:
    """The list in the envelope of that name (`local_refs`, `legal_basis`), with the fields of its rows."""
    schema = Catalog.load().latest("clue.submitted")
    envelope = _Making(schema.definitions, field_labels()).record(schema.definitions["casebus.Envelope"])
    return next(one for one in envelope if one.name == name)


@dataclass
class _Making:
    named: Mapping[str, Any]
    labels: Mapping[str, str]

    def record(self, schema: Mapping[str, Any]) -> tuple[Spec, ...]:
        return tuple(self._field(schema["name"], one) for one in schema["fields"])

    def _field(self, record: str, one: Mapping[str, Any]) -> Spec:
        written, needed = one["type"], "default" not in one
        if isinstance(written, list):
            (written,) = [branch for branch in written if branch != "null"]
        whole = self._whole(written)
        english = one["name"].replace("_", " ")
        zh = self.labels.get(f"{record}.{one['name']}", english)
        doc = str(one.get("doc", "")).removesuffix(zh).strip()
        name, _, more = re.sub("[，；]", "：", zh, count=1).partition("：")
        label, hint = Sentence(name, english[:1].upper() + english[1:]), Sentence(more, doc)
        kind = self._kind(one, whole)
        inner: tuple[Spec, ...] = ()
        if kind == "list":
            inner = self.record(self._whole(whole["items"]))
        elif kind == "record":
            inner = self.record(whole)
        return Spec(
            one["name"],
            kind,
            label,
            hint,
            needed,
            choices=_choices(whole) if kind == "choice" else (),
            suggestions=_suggestions(record, one["name"]),
            most_chars=one.get("max_chars", MOST_CHARS),
            default="CNY" if one["name"] == "currency" else "",
            fields=inner,
        )

    def _kind(self, one: Mapping[str, Any], whole: Any) -> Kind:
        if one["name"] in _KEPT:
            return "kept"
        if isinstance(whole, str):
            return "lines" if one.get("several_lines") else _KINDS[whole]
        if whole["type"] == "array":
            items = self._whole(whole["items"])
            return "list" if isinstance(items, dict) and items["type"] == "record" else "texts"
        return _KINDS[whole.get("logicalType", whole["type"])]

    def _whole(self, written: Any) -> Any:
        whole = self.named.get(written, written) if isinstance(written, str) else written
        plain = isinstance(whole, dict) and whole.keys() == {"type"}
        return whole["type"] if plain else whole


def _choices(whole: Mapping[str, Any]) -> tuple[tuple[str, Sentence], ...]:
    words = symbols().get(whole["name"].removeprefix("casebus."), {})
    return tuple((one, words.get(one) or Sentence(one, one.replace("_", " "))) for one in whole["symbols"])


def _suggestions(record: str, name: str) -> Literal["articles", "suspects", ""]:
    if name == "article" and record in ("casebus.Charge", "casebus.ChargeResult"):
        return "articles"
    return "suspects" if name in ("suspect", "ref") and record != "casebus.ChainRef" else ""


@cache
def articles() -> tuple[tuple[str, Sentence], ...]:
    """The articles of the Criminal Law that are suggested, with their names."""
    return tuple((crime.article, crime.title) for crime in crimes().values())


def _labels(schema: Any) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if isinstance(schema, list):
        return [pair for branch in schema for pair in _labels(branch)]
    if isinstance(schema, dict):
        for one in schema.get("fields", ()):
            if "zh" in one:
                found.append((f"{schema['name']}.{one['name']}", one["zh"]))
            found += _labels(one["type"])
        found += _labels(schema.get("items"))
        if not isinstance(schema.get("type"), str):
            found += _labels(schema.get("type"))
    return found
