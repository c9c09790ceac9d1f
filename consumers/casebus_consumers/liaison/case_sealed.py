"""What is sealed in the events of a case: for whom, and for one of its readers what it says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.sealing.opener import Opened, Opener, readers_of
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.sealed.place import Place

from .sealed_view import sealed_lines


def opener_of(connection: Path | None, agency: str | None, catalog: Catalog) -> Opener | None:
    """What opens for an agency on this machine; None for who only looks, or has none of its files here."""
    known = None if agency is None else read_connection(connection)
    if agency is None or known is None or agency not in known.principals:
        return None
    entry = known.principals[agency]
    if entry.data_dir is None or entry.signing_key_file is None:
        return None
    return Opener(AgencySettings.read(agency, known), catalog)


def sealed_in(
    events: Iterable[ChainEvent],
    shown: Sequence[Mapping[str, Any]],
    opener: Opener | None,
    catalog: Catalog,
) -> list[dict[str, Any]]:
    """Of the shown events of a case those with something sealed: `event`, `state`, `for`, `personal`.

    Without an opener it is said for whom it is, and no more.
    """
    visible = {line["event"] for line in shown}
    found = []
    for event in events:
        raw = event.data.get("sealed")
        if raw is None or event.digest.hex() not in visible:
            continue
        topic = catalog.event(event.type).topic(event.agency)
        place = Place(topic, event.chain, event.id, event.type, event.agency)
        opened = readers_of(raw) if opener is None else opener.open(raw, place)
        found.append({"event": event.digest.hex(), "type": event.type, **opened.to_json()})
    return found


def sealed_case_lines(sealed: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The same as lines, each marked."""
    for one in sealed:
        yield f"密封内容 sealed in {one['type']} {one['event'][:16]}"
        yield from sealed_lines(Opened(one["state"], tuple(one["for"]), one.get("personal")))
