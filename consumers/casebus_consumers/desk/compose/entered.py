"""What an officer has typed into a form, as a tree of texts, and the JSON of the event that it means; pure.

A record is a mapping, a list a list of mappings, everything else a text. What is no date or number stays the
text that it is: the bus's own readers say what is wrong with it, at its place.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from casebus_schemas.errors import UsageError
from casebus_schemas.times import beijing_text, in_beijing, read_day, read_time

from .specs import Spec

Tree = dict[str, Any]
MOST_ROWS = 200
"""Rows of one list in a form; a longer list is for the agency's system."""
ROWS = "#"
"""Ends the name of the field that says how many rows a list has."""
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_UNITS = {"万": Decimal(10_000), "亿": Decimal(100_000_000)}
_AMOUNT = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)([万亿]?)元?")
_PLAIN = str.maketrans("０１２３４５６７８９．－", "0123456789.-", ",， \u3000")
_FLAGS = {"yes": True, "no": False}


# --- from a form -------------------------------------------------------------------------------------------


def entered(specs: Sequence[Spec], form: Mapping[str, str], at: str) -> Tree:
    """What a form says of these fields; the names of its fields are pointers that begin with `at`."""
    return {one.name: _entered(one, form, f"{at}/{one.name}") for one in specs}


def _entered(spec: Spec, form: Mapping[str, str], at: str) -> Any:
    if spec.kind == "record":
        return entered(spec.fields, form, at)
    if spec.kind == "list":
        said = form.get(at + ROWS, "")
        rows = min(int(said), MOST_ROWS) if said.isascii() and said.isdigit() and len(said) < 6 else 0
        return [entered(spec.fields, form, f"{at}/{row}") for row in range(rows)]
    return form.get(at, "").replace("\r\n", "\n").strip()


def empty(specs: Sequence[Spec]) -> Tree:
    """Fields in which nothing was typed yet."""
    return {
        one.name: [] if one.kind == "list" else empty(one.fields) if one.kind == "record" else one.default
        for one in specs
    }


def is_blank(spec: Spec, value: Any) -> bool:
    """Whether nothing was typed into a field: what stands there by default counts as nothing."""
    if spec.kind == "list":
        return not value
    if spec.kind == "record":
        return all(is_blank(one, value[one.name]) for one in spec.fields)
    return value in ("", spec.default)


# --- rows ---------------------------------------------------------------------------------------------------


def with_row(specs: Sequence[Spec], tree: Tree, pointer: str) -> None:
    """Adds a row to the list at a pointer. Raises UsageError where there is no such list, or it is full."""
    spec, rows = _list_at(specs, tree, pointer)
    if len(rows) >= MOST_ROWS:
        raise UsageError(
            "a list that is too long for a form", found=len(rows), expected=f"at most {MOST_ROWS}"
        )
    rows.append(empty(spec.fields))


def without_row(specs: Sequence[Spec], tree: Tree, pointer: str) -> None:
    """Takes the row at a pointer away. Raises UsageError where there is none."""
    of_list, _, number = pointer.rpartition("/")
    _, rows = _list_at(specs, tree, of_list)
    if not number.isascii() or not number.isdigit() or int(number) >= len(rows):
        raise UsageError("no such row", found=repr(pointer[:80]))
    del rows[int(number)]


def _list_at(specs: Sequence[Spec], tree: Any, pointer: str) -> tuple[Spec, list[Any]]:
    fields, spec, place = {one.name: one for one in specs}, None, tree
    for step in pointer.strip("/").split("/"):
        if spec is not None and spec.kind == "list" and isinstance(place, list):
            if not step.isascii() or not step.isdigit() or int(step) >= len(place):
                break
            place, spec = place[int(step)], None
        elif step in fields:
            spec = fields[step]
            place, fields = place[step], {one.name: one for one in spec.fields}
        else:
            break
    else:
        if spec is not None and spec.kind == "list":
            return spec, place
    raise UsageError("no such list in the form", found=repr(pointer[:80]))


def tidied(specs: Sequence[Spec], tree: Tree) -> Tree:
    """The same without rows into which nothing was typed, so that places in it are places in the event."""
    found: Tree = {}
    for spec in specs:
        value = tree[spec.name]
        if spec.kind == "record":
            value = tidied(spec.fields, value)
        elif spec.kind == "list":
            rows = [tidied(spec.fields, row) for row in value]
            value = [row for row in rows if not all(is_blank(one, row[one.name]) for one in spec.fields)]
        found[spec.name] = value
    return found


# --- to an event and from one -----------------------------------------------------------------------------


def said(specs: Sequence[Spec], tree: Tree) -> dict[str, Any]:
    """The JSON of the door that the fields mean; what is blank is left out, so that the reader misses it."""
    return {one.name: _said(one, tree[one.name]) for one in specs if not is_blank(one, tree[one.name])} | {
        one.name: one.default for one in specs if one.default and tree[one.name] == one.default
    }


def _said(spec: Spec, value: Any) -> Any:
    if spec.kind == "record":
        return said(spec.fields, value)
    if spec.kind == "list":
        return [said(spec.fields, row) for row in value]
    if spec.kind in ("texts", "kept"):
        return [line.strip() for line in value.split("\n") if line.strip()]
    if spec.kind == "flag":
        return _FLAGS.get(value, value)
    if spec.kind == "whole":
        plain = value.replace(",", "").replace("，", "")
        return int(plain) if _WHOLE.fullmatch(plain) else value
    if spec.kind == "money":
        return plain_amount(value)
    if spec.kind in ("date", "moment"):
        return _time_text(spec.kind, value)
    return value


def plain_amount(text: str) -> str:
    """An amount as the door writes it: no separators, 万 and 亿 multiplied out; other texts as they are."""
    plain = text.translate(_PLAIN)
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        return text
    if not found[2]:
        return found[1]
    try:
        value = Decimal(found[1]) * _UNITS[found[2]]
    except InvalidOperation:
        return text
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"


def _time_text(kind: str, text: str) -> str:
    try:
        return read_day(text).isoformat() if kind == "date" else beijing_text(read_time(text))
    except (UsageError, ValueError, OverflowError):
        return text


def tree_of(specs: Sequence[Spec], data: Mapping[str, Any]) -> Tree:
    """What a form shows of facts in the JSON of the door: the way back of `said`."""
    return {one.name: _tree_of(one, data.get(one.name)) for one in specs}


def _tree_of(spec: Spec, value: Any) -> Any:
    if spec.kind == "record":
        return tree_of(spec.fields, value) if isinstance(value, Mapping) else empty(spec.fields)
    if spec.kind == "list":
        return [tree_of(spec.fields, row) for row in value or () if isinstance(row, Mapping)][:MOST_ROWS]
    if value is None:
        return spec.default
    if spec.kind in ("texts", "kept"):
        return "\n".join(str(line) for line in value)
    if spec.kind == "flag":
        return "yes" if value is True else "no" if value is False else str(value)
    if spec.kind == "money":
        return amount_text(str(value))
    if spec.kind == "moment":
        return moment_text(str(value))
    return str(value)


def amount_text(text: str) -> str:
    """An amount with its thousands apart, at least two places."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    if not value.is_finite():
        return text
    places = max(2, -int(value.as_tuple().exponent))
    return f"{value:,.{places}f}"


def moment_text(text: str) -> str:
    """A time of the door as a field for date and time in Beijing shows it."""
    try:
        local = in_beijing(datetime.fromisoformat(text.replace("Z", "+00:00")))
    except ValueError:
        return text
    return f"{local:%Y-%m-%dT%H:%M:%S}" if local.second or local.microsecond else f"{local:%Y-%m-%dT%H:%M}"


def leaves(specs: Sequence[Spec], tree: Tree, at: str) -> Iterator[tuple[str, Spec, str]]:
    """Every text of the tree with its pointer and field."""
    for spec in specs:
        value, here = tree[spec.name], f"{at}/{spec.name}"
        if spec.kind == "record":
            yield from leaves(spec.fields, value, here)
        elif spec.kind == "list":
            for number, row in enumerate(value):
                yield from leaves(spec.fields, row, f"{here}/{number}")
        else:
            yield here, spec, value
