"""The metrics of definitions.yaml: names, kinds, units, labels, meanings. Read strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from casebus_schemas.catalogue.services import services
from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import entries, known_keys, read_yaml, text, texts
from casebus_schemas.texts.sentence import Sentence

FILE = "definitions.yaml"
EVERY = "all"
"""Told by every service."""

Kind = Literal["counter", "gauge", "histogram"]

_NAME = re.compile(r"casebus_[a-z][a-z0-9_]*\Z")
_REQUIRED = ("kind", "unit", "of", "labels", "zh", "en")


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric, under the name that Prometheus sees. `of` are the services that tell it."""

    name: str
    kind: Kind
    unit: str
    of: tuple[str, ...]
    labels: tuple[str, ...]
    buckets: tuple[float, ...]
    meaning: Sentence

    @property
    def samples(self) -> tuple[str, ...]:
        """The names under which it is exposed: a histogram has three."""
        if self.kind != "histogram":
            return (self.name,)
        return tuple(self.name + end for end in ("_bucket", "_sum", "_count"))


def read_definitions(source: str) -> tuple[dict[str, Sentence], dict[str, Definition]]:
    """Labels and metrics of a definitions.yaml, by name. Raises UsageError naming the entry at fault."""
    whole = read_yaml(FILE, source)
    known_keys(FILE, whole, required=("labels", "metrics"))
    labels = {}
    for name, entry in entries(FILE, whole["labels"]):
        known_keys(f"{FILE}: {name}", entry, required=("zh", "en"))
        labels[str(name)] = Sentence(entry["zh"], entry["en"])
    metrics = {name: _definition(name, entry, labels) for name, entry in entries(FILE, whole["metrics"])}
    return labels, metrics


@cache
def definitions() -> Mapping[str, Definition]:
    """The metrics of this package, in order."""
    return _read()[1]


def labels() -> Mapping[str, Sentence]:
    """Every label, and what its values are bound to."""
    return _read()[0]


@cache
def _read() -> tuple[dict[str, Sentence], dict[str, Definition]]:
    return read_definitions((files(__package__) / FILE).read_text(encoding="utf-8"))


def _definition(name: Any, entry: Any, known: Mapping[str, Sentence]) -> Definition:
    where = f"{FILE}: {name}"
    known_keys(where, entry, required=_REQUIRED, optional=("buckets",))
    kind = entry["kind"]
    if not isinstance(name, str) or not _NAME.match(name) or kind not in get_args(Kind):
        raise UsageError(f"{where}: name or kind", found=repr(kind), expected=", ".join(get_args(Kind)))
    if name.endswith("_total") != (kind == "counter"):
        raise UsageError(f"{where}: its name", found=kind, expected="counters, and they alone, end in _total")
    unit = text(where, "unit", entry["unit"])
    if unit == "seconds" and "_seconds" not in name:
        raise UsageError(f"{where}: its name", found=unit, expected="the unit at its end")
    told, by = texts(where, "of", entry["of"]), texts(where, "labels", entry["labels"])
    strange = [one for one in told if one != EVERY and one not in services()]
    strange += [one for one in by if one not in known]
    if strange or not told:
        raise UsageError(f"{where}: services and labels", found=", ".join(strange), expected="known ones")
    buckets = entry.get("buckets", [])
    if bool(buckets) != (kind == "histogram") or sorted(buckets) != list(buckets):
        raise UsageError(
            f"{where}: buckets", found=repr(buckets)[:80], expected="those of a histogram, rising"
        )
    meaning = Sentence(text(where, "zh", entry["zh"]), text(where, "en", entry["en"]))
    return Definition(name, kind, unit, told, by, tuple(map(float, buckets)), meaning)
