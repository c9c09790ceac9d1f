"""What differs between two views of one case: of two times, two agencies or two days of the law. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

View = Mapping[str, Any]
"""A chain as `case_view` gives it."""
_Entry = Mapping[str, Any]

_OF_EVENT = ("corrected_by", "withdrawn_by", "outside")
_OF_DUTY = ("state", "started_at", "due_earliest", "due_latest", "met")
_OF_FINDING = ("state", "severity", "accounts")


def nothing_known(chain: str, at: str, as_of: Mapping[str, Any] | None) -> View:
    """The view of somebody who knows nothing of the case, at a time of the form that `case_view` writes."""
    return {
        "chain": chain,
        "at": at,
        "as_of": as_of,
        "status": None,
        "suspects": [],
        **{p: [] for p in _LISTS},
    }


def changes(was: View, now: View) -> dict[str, Any]:
    """What one view of a case has otherwise than an earlier or other one.

    `status` is null where it is the same. Of events, charges, amounts, obligations and findings: `added`
    holds entries of the second view only, `gone` of the first only, `changed` pairs of `was` and `now` whose
    state, dates or accounts differ.
    """
    return {
        "chain": now["chain"],
        "was": _question(was),
        "now": _question(now),
        "status": None if was["status"] == now["status"] else {"was": was["status"], "now": now["status"]},
        "events": _compared(was["events"], now["events"], _named("event"), _OF_EVENT),
        "charges": _compared(_charges(was), _charges(now), _named("name", "article"), ("status",)),
        "amounts": _compared(
            was["amounts"], now["amounts"], _named("basis", "currency", "period"), ("accounts",)
        ),
        "obligations": _compared(was["obligations"], now["obligations"], _named("id"), _OF_DUTY),
        "findings": _compared(was["findings"], now["findings"], _named("id"), _OF_FINDING),
    }


_LISTS = ("events", "amounts", "obligations", "findings")
PARTS = ("events", "charges", "amounts", "obligations", "findings")
"""What of two views is compared entry by entry."""


def is_empty(compared: Mapping[str, Any]) -> bool:
    """Whether nothing differs."""
    return compared["status"] is None and not any(any(compared[part].values()) for part in PARTS)


def _question(view: View) -> dict[str, Any]:
    return {"at": view["at"], "as_of": view.get("as_of")}


def _charges(view: View) -> Iterator[_Entry]:
    for suspect in view["suspects"]:
        for charge in suspect["charges"]:
            yield {"name": suspect["name"], "article": charge["article"], "status": charge["status"]}


def _named(*names: str) -> Callable[[_Entry], str]:
    return lambda entry: repr([entry[name] for name in names])


def _compared(
    was: Iterable[_Entry], now: Iterable[_Entry], key: Callable[[_Entry], str], fields: tuple[str, ...]
) -> dict[str, list[Any]]:
    before = {key(entry): entry for entry in was}
    after = {key(entry): entry for entry in now}
    both = [(before[name], entry) for name, entry in after.items() if name in before]
    return {
        "added": [entry for name, entry in after.items() if name not in before],
        "gone": [entry for name, entry in before.items() if name not in after],
        "changed": [
            {"was": old, "now": new} for old, new in both if any(old[name] != new[name] for name in fields)
        ],
    }
