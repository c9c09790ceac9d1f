"""Events of a chain made by hand for tests of the reconciler's rules: no bytes, no broker."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog

CHAIN = "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44"
_NAMES = UUID("00000000-0000-5000-8000-000000000000")


def at(text: str) -> datetime:
    """A Beijing time such as `2022-09-29T10:00` or a day, its midnight."""
    full = text if "T" in text else f"{text}T00:00"
    return datetime.fromisoformat(f"{full}+08:00")


def event_id(name: str) -> UUID:
    """The id of the event of that name."""
    return uuid5(_NAMES, name)


def digest(name: str) -> bytes:
    """The digest of the event of that name."""
    return sha256(name.encode()).digest()


def say(
    name: str,
    type: str,
    when: str,
    *,
    agency: str = "csrc",
    to: tuple[str, ...] = (),
    replies: str | None = None,
    binds: str | None = None,
    corrects: str | None = None,
    withdraws: str | None = None,
    admitted: str | None = None,
    precision: str | None = None,
    id_of: str | None = None,
    prev: str | None = None,
    message_class: str | None = None,
    chain: str = CHAIN,
    told: tuple[str, ...] | None = None,
    **data: Any,
) -> ChainEvent:
    """An event called `name`; `replies`, `binds`, `corrects`, `withdraws`, `prev` name other events."""
    envelope: Mapping[str, Any] = {
        "message_class": message_class or ("response" if replies else "initial"),
        "to": list(to),
        "cc": [],
        "in_reply_to": event_id(replies) if replies else None,
        "in_reply_to_hash": digest(binds) if binds else None,
        "corrects": digest(corrects) if corrects else None,
        "withdraws": digest(withdraws) if withdraws else None,
        "local_refs": [],
        "precision": precision or ("second" if "T" in when else "day"),
        "date_basis": "stated",
        "legal_basis": [],
        "handling": "H1",
        "obligation": None,
        "message_no": None,
    }
    return ChainEvent(
        digest=digest(name),
        id=event_id(id_of or name),
        type=type,
        agency=agency,
        source=f"/{agency}",
        chain=chain,
        occurred_at=at(when),
        admitted_at=at(admitted or when),
        envelope=envelope,
        data=data,
        prev=digest(prev) if prev else bytes(32),
        told=frozenset((*to, *by_law(type)) if told is None else told),
    )


def by_law(type: str) -> tuple[str, ...]:
    """Who hears of a type beside those whom its event names."""
    known = Catalog.load().types.get(type)
    return known.by_law if known else ()


def suspects(*names: str, tokens: Mapping[str, tuple[bytes, ...]] | None = None) -> list[dict[str, Any]]:
    """Suspects S1, S2 … with these official names."""
    return [
        {
            "ref": f"S{number}",
            "kind": "natural",
            "name": name,
            "role": None,
            "tokens": list((tokens or {}).get(name, ())),
        }
        for number, name in enumerate(names, 1)
    ]


def charges(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    """Charges from (suspect's reference, article)."""
    return [{"suspect": ref, "article": article, "name": None} for ref, article in pairs]


def results(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    """Convictions from (suspect's reference, article)."""
    return [{**charge, "result": "convicted"} for charge in charges(*pairs)]


def amount(basis: str, value: str, *period: str) -> dict[str, Any]:
    """An amount in yuan; `period` is two days or nothing."""
    span = {"from": date.fromisoformat(period[0]), "to": date.fromisoformat(period[1])} if period else None
    return {"basis": basis, "value": Decimal(value), "currency": "CNY", "period": span}
