"""What runs beside the charges of a case, as text for a person: assets, looks into laundering, and more."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from casebus_schemas.case.assets import WAYS
from casebus_schemas.case.side_tracks import FACTS
from casebus_schemas.texts.symbols import (
    ACCOUNT_FIELDS,
    ASSET_KINDS,
    ASSET_STATES,
    GAINS,
    LAUNDERING_STATES,
    NO_CHARGE,
    TRACK_FACTS,
    TRACK_WORDS,
    WORTHS,
    agency,
    in_both,
    money,
    shown,
    title,
)

MOST_SHOWN = 50
"""Lines of one kind that are shown; `casebus case --json` gives all."""


def track_lines(tracks: Mapping[str, Any]) -> Iterator[str]:
    """Every track that the case has, each under its heading."""
    yield from _assets(tracks.get("assets") or {})
    yield from _laundering(tracks.get("laundering") or {})
    yield from _beside(tracks.get("beside") or ())


def _assets(assets: Mapping[str, Any]) -> Iterator[str]:
    if not assets.get("items"):
        return
    yield ""
    yield "涉案财物 assets"
    yield from cut(_item(item) for item in assets["items"])
    for balance in assets["sums"]:
        yield f"  合计 sum  {_balance(balance)}"


def _item(item: Mapping[str, Any]) -> str:
    parts = [item["item"], shown(ASSET_STATES, item["state"])]
    if item["kind"] is not None:
        parts.append(" ".join(part for part in (shown(ASSET_KINDS, item["kind"]), item["title"]) if part))
    if item["owner"] is not None:
        parts.append(f"权属 owner {item['owner']}")
    if item["keeper"] is not None:
        parts.append(f"保管 keeper {agency(item['keeper']).zh}")
    if item["expires_on"] is not None:
        parts.append(f"期限至 until {item['expires_on']}")
    return "  " + "   ".join([*parts, *map(_balance, item["balances"])])


def _balance(balance: Mapping[str, str]) -> str:
    """`登记价值 as stated: 查扣冻总额 taken 100 元, 在案 held 60 元, 已解除 released 40 元`."""
    figures = [
        f"{shown(ACCOUNT_FIELDS, name)} {money(Decimal(balance[name]), balance['currency']).zh}"
        for name in ("taken", "held", *(way for way in WAYS if Decimal(balance[way])))
    ]
    return f"{shown(WORTHS, balance['basis'])}: {', '.join(figures)}"


def _laundering(laundering: Mapping[str, Any]) -> Iterator[str]:
    checks, tracings = laundering.get("checks"), laundering.get("tracings", {})
    if not checks and not any(tracings.values()):
        return
    yield ""
    yield "洗钱双查 laundering"
    yield from cut(map(_check, checks or ()))
    if any(tracings.values()):
        asked, told = tracings["requested"], tracings["answered"]
        yield f"  资金协查 tracings of funds: 请求 requested {asked}, 答复 answered {told}"


def _beside(tracks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    lines = [_track(track) for track in tracks]
    if lines:
        yield ""
        yield "并行事项 beside the charges"
        yield from cut(lines)


def _track(track: Mapping[str, Any]) -> str:
    """Its last step with the number of its steps, and its facts."""
    last, facts = track["steps"][-1], track["facts"]
    said = [
        f"{shown(TRACK_FACTS, name)} {_fact(name, value)}"
        for name in FACTS
        if (value := facts.get(name)) is not None
    ]
    step = f"{last['at'][:10]} {agency(last['agency']).zh} {in_both(title(last['type']))}"
    return "  " + "   ".join([f"{step} ({len(track['steps'])})", *said])


def _fact(name: str, value: Any) -> str:
    words = TRACK_WORDS.get(name)
    return shown(words, str(value)) if words else _plain(value)


def _plain(value: Any) -> str:
    return {True: "是 yes", False: "否 no"}[value] if isinstance(value, bool) else str(value)


def _check(check: Mapping[str, Any]) -> str:
    parts = [f"{check['offender'] or '–'} {check['predicate']}", shown(LAUNDERING_STATES, check["state"])]
    for one in check["launderers"]:
        article = one["article"] or in_both(NO_CHARGE)
        parts.append(
            f"{agency(one['agency']).zh} {one['name'] or '–'} {shown(GAINS, one['gains'])} {article}"
        )
    return "  " + "   ".join(parts)


def cut(lines: Iterable[str]) -> Iterator[str]:
    """The first lines, and how many more there are."""
    every = list(lines)
    yield from every[:MOST_SHOWN]
    if len(every) > MOST_SHOWN:
        yield f"  另有 and {len(every) - MOST_SHOWN} 项 more"
