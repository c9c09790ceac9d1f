"""Assets and looks into laundering in the short form of rule cases: `A1 100 appraised USD` is an item."""

from datetime import date
from decimal import Decimal
from typing import Any

from casebus_schemas.case.assets import COLUMNS

REMEDY_FIELDS = (
    "items",
    "proceeds",
    "moves",
    "appraisals",
    "terms",
    "balances",
    "annexes",
    "checks",
    "security",
    "sanctions",
    "sentences",
    "paid_first",
    "elsewhere",
)


def remedy_field(field: str, value: Any) -> Any:
    """The data of a field of asset events; `items` that are numbers only stay as they are."""
    match field:
        case "items" | "proceeds":
            return [_document(entry) if ":" in entry else _item(entry) for entry in value]
        case "annexes":
            return [_document(entry) for entry in value]
        case "moves":
            return [_move(entry) for entry in value]
        case "appraisals":
            return [{"item": entry.split()[0], "worth": _worth(entry)} for entry in value]
        case "terms":
            return [_term(entry) for entry in value]
        case "security":
            return _security(value)
        case "sanctions":
            return [_sanction(entry) for entry in value]
        case "sentences":
            return [_sentence(entry) for entry in value]
        case "checks":
            return [_check(entry) for entry in value]
        case "balances":
            return [_balance(entry) for entry in value]
    return value == "true"


def _worth(entry: str) -> dict[str, Any]:
    _, value, *more = entry.split()
    return {
        "basis": next(iter(more), "stated"),
        "value": Decimal(value),
        "currency": next(iter(more[1:]), "CNY"),
    }


def _document(entry: str) -> dict[str, Any]:
    """`report:7` is a document with a digest, `report:` one without; `letter` is the letter of referral."""
    title, _, mark = entry.partition(":")
    kind = "transfer_letter" if title == "letter" else "other"
    sha256 = bytes([int(mark)]) * 32 if mark else None
    return {"no": "1", "kind": kind, "title": title, "quantity": 1, "sha256": sha256}


def _security(entry: str) -> dict[str, Any]:
    """`SSE 600001 甲股份`; `-` stands for what is not said."""
    market, code, name = entry.split()
    return {"market": market, "code": None if code == "-" else code, "name": None if name == "-" else name}


def _sanction(entry: str) -> dict[str, Any]:
    """`S1 fine 900`."""
    suspect, kind, value = entry.split()
    return {"suspect": suspect, "kind": kind, "amount": Decimal(value)}


def _sentence(entry: str) -> dict[str, Any]:
    """`S1 fine=120 offset=90 confiscation=5`: what is left out is not said."""
    suspect, *figures = entry.split()
    said = dict(figure.split("=") for figure in figures)
    columns = {n: Decimal(said[n]) if n in said else None for n in ("fine", "offset", "confiscation")}
    return {"suspect": suspect, "months": None, **columns}


def _check(entry: str) -> dict[str, Any]:
    """`S1 161 S2 others 191`: whose crime, which, who laundered (`-` nobody), whose gains, the article."""
    offender, predicate, suspect, gains, article = entry.split()
    return {
        "offender": offender,
        "predicate": predicate,
        "suspect": None if suspect == "-" else suspect,
        "gains": gains,
        "article": None if article == "-" else article,
    }


def _item(entry: str) -> Any:
    number = entry.split()[0]
    if number == entry:
        return entry
    facts = {"kind": "deposit", "title": None, "owner": None, "expires_on": None}
    return {"item": number, **facts, "worth": _worth(entry)}


def _move(entry: str) -> dict[str, Any]:
    """`A1` moves all of it, `A1 40` a part."""
    number = entry.split()[0]
    return {"item": number, "worth": None if number == entry else _worth(entry), "note": None}


def _term(entry: str) -> dict[str, Any]:
    number, day = entry.split()
    return {"item": number, "expires_on": date.fromisoformat(day)}


def _balance(entry: str) -> dict[str, Any]:
    """`A1 taken=100 held=60 released=40`; `sum` stands for all items, what is left out is zero."""
    number, *figures = entry.split()
    said = dict(figure.split("=") for figure in figures)
    zero = dict.fromkeys(COLUMNS, Decimal(0))
    columns = {**zero, **{name: Decimal(said[name]) for name in said if name in COLUMNS}}
    item = None if number == "sum" else number
    return {"item": item, "basis": said.get("basis", "stated"), "currency": "CNY", **columns}
