"""Hypothesis strategies: the examples of the contract, changed as a program's or a person's slip would."""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import casebus_schemas

_FOLDER = Path(casebus_schemas.__file__).parent / "examples"
EXAMPLES: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(_FOLDER.glob("*.json"))
}
CHAIN = "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44"
RESIDENT_ID = "990000" + "19900101" + "001" + "7"  # of the unassigned test division, can be nobody
_WORDS = (
    *("", "S", "H3", "customs", "mps", "mps/unit", "bus", "/mps", "/csrc/UPPER", "/csrc/沪办", "/bus/router"),
    *(RESIDENT_ID, f"号{RESIDENT_ID}", f"/csrc/{RESIDENT_ID}", "\0", "\ud800", "1e5", "12345678901234567.00"),
    *("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z", "2022-02-30"),
    *("9899-12-31T23:59:59Z", "1900-01-01T00:00:00+08:00", "9899-12-31", "1900-01-01", "9900-01-01"),
    *("1899-12-31", "2016-10-18", "2016-10-18T00:00:00+08:00", CHAIN, CHAIN.upper(), "ab" * 32),
    *("\x1b[2J", "姓名\u202e", "a\nb", "a\tb", "\x9b", "\u2028", "\u3000", "AAAA"),
    *("referral.submitted", "referral.filed", "receipt.admitted", "finding.opened", "clock.set", "day"),
)
_ADDRESSES = ("customs", "mps", "spp/unit", "bus", "court", "", "/mps", "customs/office")
_SOURCES = ("/csrc", "/mps/office", "/spp/x", "/court", "/bus/operator", f"/csrc/{RESIDENT_ID}")
_DAYS = ("1900-01-01", "9899-12-31", "2062-02-28", "2015-12-31")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.sampled_from((0, -1, 2**31, 2**63, 1.5, float("nan"), float("inf"), 1e308))
    | st.sampled_from(_WORDS)
    | st.text(max_size=5)
    | st.just([])
    | st.builds(dict)
    | st.lists(st.sampled_from(_WORDS), max_size=2)
)


@st.composite
def mutated_events(draw: st.DrawFn) -> dict[str, Any]:
    """One example with a slip of which the schema knows nothing, and with up to two values replaced, left
    out, or added."""
    event = deepcopy(EXAMPLES[draw(st.sampled_from(sorted(EXAMPLES)))])
    _slip(draw, event)
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        places = list(_places(event))
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        how = draw(st.sampled_from(("replace", "replace", "leave out", "add")))
        if how == "leave out":
            del holder[key]
        elif how == "replace":
            holder[key] = draw(_VALUES)
        elif isinstance(holder, list):
            holder.insert(0, draw(_VALUES))
        else:
            holder[draw(st.sampled_from(("colour", "subject", "id", "sealed", "a/b~c")))] = draw(_VALUES)
    if event.get("subject") is None:
        event["subject"] = CHAIN  # what an agency's own file would say is no part of this
    return event


def _slip(draw: st.DrawFn, event: dict[str, Any]) -> None:
    """Changes what only the judge can object to, or what tries the rules behind it."""
    what = draw(
        st.sampled_from(
            ("nothing", "address", "handling", "source", "number", "day", "day", "long", "control")
        )
    )
    envelope = event["data"].get("envelope", {"to": [], "cc": []})
    if what == "address":
        envelope[draw(st.sampled_from(("to", "cc")))].append(draw(st.sampled_from(_ADDRESSES)))
    elif what == "handling":
        envelope["handling"] = draw(st.sampled_from(("S", "H3")))
    elif what == "source":
        event["source"] = draw(st.sampled_from(_SOURCES))
    elif what in ("long", "control"):
        _disturb(draw, event, what)
    elif what in ("number", "day"):
        places = [(h, k) for h, k in _places(event["data"]) if isinstance(h[k], str)]
        days = [(h, k) for h, k in places if _DAY.match(h[k])]
        holder, key = draw(st.sampled_from(days if what == "day" and days else places or [(event, "time")]))
        day = draw(st.sampled_from(_DAYS)) + holder[key][10:]
        holder[key] = day if what == "day" else f"号{RESIDENT_ID}"


def _places(part: Any) -> Any:
    members = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in members:
        yield part, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _disturb(draw: st.DrawFn, event: dict[str, Any], what: str) -> None:
    """Makes a text or list too long, or puts a character into a text that none may hold."""
    places = list(_places(event["data"]))
    lists = [(h, k) for h, k in places if isinstance(h[k], list) and h[k]]
    texts = [(h, k) for h, k in places if isinstance(h[k], str)]
    holder, key = draw(st.sampled_from((lists if what == "long" else []) + texts or [(event, "time")]))
    if what == "control":
        holder[key] += draw(st.sampled_from(("\x07", "\n", "\u200f", "\u2067", "\r\n")))
    elif isinstance(holder[key], str):
        holder[key] += "长" * 4_001
    else:
        holder[key] *= 5_001 if "suspects" not in str(key) else 501
