"""Well-formed events of every type and agency, changed at random: what members say who mean harm or err."""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any
from uuid import UUID

from casebus_schemas.agencies import MEMBERS
from casebus_schemas.wire.ids import bus_id

from .mutated_events import EXAMPLES, RESIDENT_ID

CHAINS = 60
"""Matters over which the events are spread, so that they answer, correct and contradict each other."""
_HEX = re.compile("[0-9a-f]{64}")
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")
_DAY = re.compile(r"\d{4}-\d\d-\d\d$")
_AMOUNT = re.compile(r"-?\d+\.\d\d$")
_INSTANTS = (
    *(
        "1900-01-01T00:00:00Z",
        "2022-02-28T23:59:59.999+08:00",
        "2022-09-30T10:00:00Z",
        "2023-01-21T08:00:00Z",
    ),
    *("2024-02-29T00:00:00+08:00", "2062-02-28T00:00:00Z", "9899-12-31T23:59:59Z"),
)
_DAYS = ("1900-01-01", "2022-02-28", "2024-02-29", "2062-02-28", "9899-12-31")
_AMOUNTS = ("0.00", "-1.00", "0.01", "46190000.00", "461900.00", "4619.00", "1234567890123456.00")
_TEXTS = (
    *(
        "",
        " ",
        "甲",
        "S1",
        "180(4)",
        "{0}",
        "%s",
        "\n",
        "a\tb",
        "\u202e倒",
        "\x1b[2J",
        "\x7f",
        "\u0000",
        "é" * 9,
    ),
    *(f"号{RESIDENT_ID}", "1 1 1 1", "mps/unit", "../..", "'); --", "<b>", "罚" * 300),
)
_LONG = ("1 " * 2500, "罚" * 4001, "x" * 30_000)
_TIMES = (0, 1, 2, 3, 20)
_MANY = (501, 5001)


class WildEvents:
    """An endless row of events of the door, the same for the same `seed`.

    Each keeps its schema's form; its speaker, chain, addressees, references, texts, figures, times and the
    lengths of its lists are anybody's. `note` tells it the digest of what was signed, so that later events
    can name it.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._names = sorted(EXAMPLES)
        self._agencies = list(MEMBERS)
        self._chains = [str(self._uuid()) for _ in range(CHAINS)]
        self._ids = [str(self._uuid())]
        self._digests = ["ab" * 32]
        self._said: list[tuple[str, str]] = []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        number = 0
        while True:
            yield self._event(self._names[number % len(self._names)])
            number += 1

    def note(self, digest: bytes) -> None:
        """An event of this digest was said."""
        self._digests.append(digest.hex())

    def _event(self, name: str) -> dict[str, Any]:
        event = deepcopy(EXAMPLES[name])
        event["id"] = self._an_id()
        event["subject"] = self._random.choice(self._chains)
        if self._one_in(5) or event["source"].startswith("/bus"):
            event["source"] = f"/{self._random.choice(self._agencies)}/desk"
        if "holder" in event["data"] and self._one_in(2):
            event["data"]["holder"] = event["source"].split("/")[1]  # a key of one's own
        if self._one_in(3):
            event["time"] = self._random.choice(_INSTANTS)
        if "envelope" in event["data"]:
            self._address(event["data"]["envelope"])
        for _ in range(self._random.choice((0, 1, 1, 2, 3, 6))):
            self._change(event["data"])
        if self._said and self._one_in(4):
            self._lean_on(event, *self._random.choice(self._said[-200:]))
        self._said.append((event["subject"], event["id"]))
        return event

    def _lean_on(self, event: dict[str, Any], chain: str, id: str) -> None:
        """Enters another's chain: by his id and an early date, an answer to it, or a guessed finding."""
        event["subject"] = chain
        if "finding" in event["data"]:
            rule, about = self._random.choice((("R09", "set aside"), ("R31", "csrc\nmps")))
            event["data"]["finding"] = str(bus_id(rule, f"{chain}\n{about}"))
        elif self._one_in(2):
            event["id"], event["time"] = id, _INSTANTS[0]
        elif "envelope" in event["data"]:
            event["data"]["envelope"].update(in_reply_to=id, in_reply_to_hash=None)

    def _an_id(self) -> str:
        if self._one_in(20):
            return self._random.choice(self._ids)
        self._ids.append(str(self._uuid()))
        return self._ids[-1]

    def _address(self, envelope: dict[str, Any]) -> None:
        pick = self._random
        envelope["to"] = pick.sample(self._agencies, pick.randrange(0, 4))
        envelope["cc"] = pick.sample(self._agencies, pick.randrange(0, 2))
        envelope["in_reply_to"] = pick.choice(self._ids) if self._one_in(2) else None
        envelope["in_reply_to_hash"] = pick.choice(self._digests) if self._one_in(3) else None
        for name in ("corrects", "withdraws"):
            envelope[name] = pick.choice(self._digests) if self._one_in(6) else None
        if self._one_in(10):
            envelope["handling"] = pick.choice(("H0", "H1", "H2", "H3", "S"))

    def _change(self, data: dict[str, Any]) -> None:
        holder, key = self._random.choice(list(_places(data)))
        value = holder[key]
        if isinstance(value, list):
            holder[key] = self._repeated(value)
        elif isinstance(value, bool):
            holder[key] = not value
        elif isinstance(value, int):
            holder[key] = self._random.choice((0, -1, 7, 2**31 - 1, -(2**31)))
        elif isinstance(value, str):
            holder[key] = self._text_like(value)

    def _repeated(self, value: list[Any]) -> list[Any]:
        times = self._random.choice(_MANY if self._one_in(60) else _TIMES)
        return [deepcopy(one) for one in value[:3] for _ in range(times)]

    def _text_like(self, value: str) -> str:
        pick = self._random.choice
        for form, draw in self._forms:
            if form.match(value):
                return draw(self)
        if value.isascii() and value.replace("_", "").replace(".", "").isalpha() and value.islower():
            return value  # most likely a symbol of the schema
        return pick(_LONG if self._one_in(40) else _TEXTS)

    _forms: tuple[tuple[re.Pattern[str], "Callable[[WildEvents], str]"], ...] = (
        (_HEX, lambda self: self._random.choice(self._digests)),
        (_UUID, lambda self: self._random.choice(self._ids)),
        (_INSTANT, lambda self: self._random.choice(_INSTANTS)),
        (_DAY, lambda self: self._random.choice(_DAYS)),
        (_AMOUNT, lambda self: self._random.choice(_AMOUNTS)),
    )

    def _uuid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def _one_in(self, many: int) -> bool:
        return self._random.randrange(many) == 0


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if key == "envelope":
            yield from ((value, inner) for inner in ("message_no", "local_refs") if value.get(inner))
            continue
        yield part, key
        if isinstance(value, dict | list):
            yield from _places(value)


def as_line(event: dict[str, Any]) -> str:
    """The event as one line, for a message about it."""
    return json.dumps(event, ensure_ascii=True)[:2000]
