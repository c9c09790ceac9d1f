"""What runs beside the charges of a case: assets held, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casebus_consumers.desk.words import Words
from casebus_schemas.texts.symbols import ASSET_KINDS, ASSET_STATES, word


@dataclass(frozen=True, slots=True)
class Asset:
    """One item: what it is, who holds it, until when, for how much."""

    item: str
    kind: str
    state: str
    keeper: str
    until: str
    worth: str


def assets_of(case: Mapping[str, Any], w: Words) -> list[Asset]:
    """The items of a case in the order in which they appeared."""
    found = []
    for item in (case.get("tracks") or {}).get("assets", {}).get("items", ()):
        kind = "" if item["kind"] is None else w.say(word(ASSET_KINDS, item["kind"]))
        worth = [
            f"{w.money(balance['taken'], balance['currency'])}"
            for balance in item["balances"]
            if "taken" in balance
        ]
        found.append(
            Asset(
                str(item["title"] or item["item"]),
                kind,
                w.say(word(ASSET_STATES, item["state"])),
                "" if item["keeper"] is None else w.agency(item["keeper"]),
                item["expires_on"] or "",
                w.listed(worth),
            )
        )
    return found
