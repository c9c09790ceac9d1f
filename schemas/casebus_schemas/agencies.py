"""Who takes part: the agencies, the guests and the bus itself."""

from .errors import UsageError

AGENCIES: tuple[str, ...] = ("csrc", "mps", "spp")
GUESTS: tuple[str, ...] = ("court",)
MEMBERS: tuple[str, ...] = AGENCIES + GUESTS
BUS = "bus"

NAMES: dict[str, tuple[str, str]] = {
    "csrc": ("证监会", "China Securities Regulatory Commission"),
    "mps": ("公安部", "Ministry of Public Security"),
    "spp": ("最高检", "Supreme People's Procuratorate"),
    "court": ("法院", "the courts"),
    "bus": ("总线", "the bus"),
}
"""Short Chinese and English names for people."""

_SPEAKERS = frozenset((*MEMBERS, BUS))


def agency_of_source(source: str) -> str:
    """Agency of a CloudEvents source such as `/csrc/shanghai-office`.

    Raises UsageError if the text is not `/agency` or `/agency/unit` of a known speaker.
    """
    parts = source.split("/")
    if len(parts) not in (2, 3) or parts[0] or parts[1] not in _SPEAKERS or not all(parts[1:]):
        raise UsageError(
            "not a source of this bus",
            found=repr(source[:100]),
            expected="/agency or /agency/unit with agency one of " + ", ".join(sorted(_SPEAKERS)),
        )
    return parts[1]


def agency_of_topic(topic: str) -> str:
    """Agency (or `bus`) whose prefix the topic carries; Raises UsageError for other topics."""
    prefix, dot, _ = topic.partition(".")
    if not dot or prefix not in _SPEAKERS:
        raise UsageError("not a topic of a member", found=repr(topic[:100]), expected="<agency>.<channel>")
    return prefix
