"""Facts that an event can hardly mean: a period that ends first, unknown money, one person twice."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.texts.sentence import Sentence

_CURRENCY = re.compile(r"[A-Z]{3}")
"""The shape of a currency (ISO 4217): amounts of others are compared with nothing."""
Odd = tuple[str, Sentence]
"""The JSON pointer of a place in the event, and what is odd there."""


def odd_facts(event: ChainEvent) -> Iterator[Odd]:
    """Each odd fact with its place; linear in what the event says."""
    yield from _odd_values(event.data, "/data")
    yield from _one_person_twice(event)


def _odd_values(value: Any, pointer: str) -> Iterator[Odd]:
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _odd_values(one, f"{pointer}/{index}")
    elif isinstance(value, Mapping):
        since, until = value.get("from"), value.get("to")
        if isinstance(since, date) and isinstance(until, date) and until < since:
            yield (
                pointer,
                Sentence(
                    f"期间止于{until},早于其起始{since}",
                    f"a period to {until} that begins on {since}, after its end",
                ),
            )
        for name, one in value.items():
            if name == "currency" and isinstance(one, str) and _CURRENCY.fullmatch(one) is None:
                said = Sentence(
                    "不是货币代码(如 CNY),金额无从比较",
                    "not a code of a currency such as CNY: compared with nothing",
                )
                yield f"{pointer}/{name}", said
            elif isinstance(one, list | Mapping):
                yield from _odd_values(one, f"{pointer}/{name}")


def _one_person_twice(event: ChainEvent) -> Iterator[Odd]:
    """Suspects of one kind and name without match tokens: nothing tells them apart but their reference."""
    first: dict[tuple[str, str], str] = {}
    for index, suspect in enumerate(event.data.get("suspects") or ()):
        if not suspect["name"] or suspect["tokens"]:
            continue
        ref = first.setdefault((suspect["kind"], suspect["name"]), suspect["ref"])
        if ref != suspect["ref"]:
            said = Sentence(
                f"与{ref}同名且无匹配标记:同一人只列一次,另一人请加标记或别称",
                f"bears the name of {ref} and no match token: list one person once, or tell the two apart",
            )
            yield f"/data/suspects/{index}", said
