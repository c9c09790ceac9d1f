"""Who says a finding or a duty that an agency's own view lists: the bus, the own fold, or both."""

from collections.abc import Mapping
from typing import Any

from casebus_consumers.own.announced import BOTH, BUS, OWN

_SAID = {
    OWN: "〔本机关自行得出 by your own view〕",
    BUS: "〔总线告知 told by the bus〕",
    BOTH: "〔总线与本机关一致 by the bus and your own view〕",
}


def who_says(entry: Mapping[str, Any]) -> str:
    """The words for a screen; nothing where the bus's own accounts are shown."""
    return _SAID.get(entry.get("from", ""), "")
