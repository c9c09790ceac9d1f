"""The page docs/event-flow.md: charts of who says what to whom, and of who writes and reads which topic."""

import json
from collections.abc import Iterable, Iterator
from importlib.resources import files

from casebus_schemas.agencies import BUS, MEMBERS
from casebus_schemas.catalogue.catalog import Catalog, EventType
from casebus_schemas.catalogue.topology import SERVICES, topics
from casebus_schemas.texts.symbols import agency as called

_INTRODUCTION = """\
Generated from `events.yaml`, the examples and `topics/*.yaml`: change those, then run
`python -m casebus_deploy.pages.generated`. An arrow goes to those who hear of an event by law, who may
answer it and, for what one agency alone may say, whom its example addresses; to *whom it names*
goes the rest. A sender may address others too (`to`, `cc`).
"""
_ADDRESSED = "addressed"
_MOST_WORDS = 12
"""Types on one arrow; beyond that a chart cannot be read."""


def flow_page() -> str:
    """The whole page as Markdown with Mermaid charts."""
    return "\n".join(_lines(Catalog.load())) + "\n"


def listeners(event: EventType, catalog: Catalog) -> frozenset[str]:
    """Who must hear of an event for the exchange to work.

    Whoever hears of it by law or may answer it; where one agency alone says it, whom its example addresses;
    where several do, who said what it answers. `*` says nothing of anyone.
    """
    heard = set(event.by_law)
    for other in catalog.types.values():
        if event.type in other.answers and other is not event:
            heard |= other.speakers
    if len(event.speakers) == 1:
        heard |= _addressees(event, catalog)
    else:
        for answered in set(event.answers) - {"*", event.type}:
            heard |= catalog.event(answered).speakers
    return frozenset(heard)


def _addressees(event: EventType, catalog: Catalog) -> set[str]:
    name = f"{event.type}.{catalog.latest(event.type).version}.json"
    example = json.loads((files("casebus_schemas") / "examples" / name).read_text(encoding="utf-8"))
    return {address.partition("/")[0] for address in example["data"].get("envelope", {}).get("to", ())}


def _lines(catalog: Catalog) -> Iterator[str]:
    yield "# Who says what to whom"
    yield ""
    yield _INTRODUCTION
    families: dict[str, list[EventType]] = {}
    for event in catalog.types.values():
        families.setdefault(event.family, []).append(event)
    for family, events in families.items():
        yield f"## {family}"
        yield ""
        yield "```mermaid"
        yield "flowchart LR"
        yield from _chart(events, catalog)
        yield "```"
        yield ""
    yield "## Topics"
    yield ""
    yield (
        "`‹agency›` stands for each of "
        + ", ".join(MEMBERS)
        + "; auditor and operator, who read, are left out."
    )
    yield ""
    yield "```mermaid"
    yield "flowchart LR"
    yield from _topics()
    yield "```"


def _chart(events: Iterable[EventType], catalog: Catalog) -> Iterator[str]:
    arrows: dict[tuple[str, str], list[str]] = {}
    for event in events:
        heard = listeners(event, catalog)
        for speaker in (*MEMBERS, BUS):
            if speaker not in event.speakers:
                continue
            for listener in sorted(heard - {speaker}) or [_ADDRESSED]:
                arrows.setdefault((speaker, listener), []).append(event.type.partition(".")[2])
    for who in dict.fromkeys(who for arrow in arrows for who in arrow):
        yield f"  {who}([whom it names])" if who == _ADDRESSED else f"  {who}[{who} {called(who).zh}]"
    for (speaker, listener), said in arrows.items():
        for start in range(0, len(said), _MOST_WORDS):
            yield f'  {speaker} -- "{"<br/>".join(said[start : start + _MOST_WORDS])}" --> {listener}'


def _topics() -> Iterator[str]:
    arrows: dict[tuple[str, str], None] = {}
    shapes: dict[str, str] = {}
    for spec in topics():
        general = spec.name if spec.agency == BUS and spec.name.startswith(BUS) else _general(spec.name)
        node = general.replace(".", "_").replace("‹agency›", "any")
        shapes[node] = f"{node}[/{general}/]"
        for writer in spec.written_by:
            arrows[_who(writer, shapes), node] = None
        for reader in spec.read_by:
            if reader in SERVICES or reader in MEMBERS:
                arrows[node, _who(reader, shapes)] = None
    for shape in shapes.values():
        yield f"  {shape}"
    for start, end in arrows:
        yield f"  {start} --> {end}"


def _general(name: str) -> str:
    return ".".join("‹agency›" if word in MEMBERS else word for word in name.split("."))


def _who(principal: str, shapes: dict[str, str]) -> str:
    who = "agency" if principal in MEMBERS else principal
    shapes[who] = f"{who}([{who}])"
    return who
