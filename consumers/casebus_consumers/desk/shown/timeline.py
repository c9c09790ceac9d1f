"""The time line of a case: a lane for each agency, a column for each event, who spoke and who was told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casebus_consumers.desk.masking import masked_text
from casebus_consumers.desk.words import Count, Words
from casebus_consumers.event_texts import texts_of
from casebus_schemas.admission.may_say import told
from casebus_schemas.agencies import MEMBERS, agency_of_source
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import in_beijing

from .inbox_rows import summary_of

MOST = 16
"""Columns that are drawn; the table below holds every event."""
_LEFT, _TOP, _LANE = 90, 58, 50
_NARROWEST, _WIDEST, _ALL_COLUMNS = 78, 118, 1030
_LABEL = {"zh": 8, "en": 16}
"""Characters of a title that fit above two columns."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One event; `to`, `cc` and `by_law` are who was told."""

    number: int
    digest: str
    day: str
    assumed: bool
    speaker: str
    source: str
    type: str
    title: str
    content: str
    to: Sequence[str]
    cc: Sequence[str]
    by_law: Sequence[str]
    marks: Sequence[str]
    changes: Sequence[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Column:
    """An event as it is drawn; `dots` are (y, kind) of those who were told."""

    x: int
    said: Spoken
    label: str
    y: int
    dots: Sequence[tuple[int, str]]
    lines: Sequence[tuple[int, int, str]]
    day: str
    gap: str
    gap_x: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lanes and columns of a drawing of `width` by `height`."""

    width: int
    height: int
    lanes: Sequence[tuple[int, str]]
    columns: Sequence[Column]
    left_out: int


def spoken_of(
    case: Mapping[str, Any], events: Sequence[ChainEvent], catalog: Catalog, w: Words
) -> list[Spoken]:
    """The events of a case in their order, with who was told and what became of them."""
    by_digest = {event.digest.hex(): event for event in events}
    found = []
    for number, line in enumerate(case["events"], 1):
        event = by_digest.get(line["event"])
        data: Mapping[str, Any] = {} if event is None else event.data
        envelope: Mapping[str, Any] = {} if event is None else event.envelope
        to, cc = list(envelope.get("to") or ()), list(envelope.get("cc") or ())
        heard = set(_told(event, catalog)) if event is not None else set()
        by_law = [one for one in MEMBERS if one in heard and one not in _members(to + cc)]
        said = [masked_text(text) for _, text in texts_of(data)]
        found.append(
            Spoken(
                number=number,
                digest=line["event"],
                day=_day(line, w),
                assumed=line["date_basis"] == "assumed",
                speaker=agency_of_source(line["source"]),
                source=line["source"],
                type=line["type"],
                title=w.title(line["type"]),
                content=summary_of(_plain(data), w) if data else w.gap.join(said),
                to=to,
                cc=cc,
                by_law=[one for one in by_law if one != agency_of_source(line["source"])],
                marks=_marks(line, w),
                changes=[
                    w("case.change", field=change["field"], was=change["was"], now=change["is"])
                    for change in line.get("changes", ())
                ],
                at=datetime.fromisoformat(line["time"]),
            )
        )
    return found


def timeline_of(spoken: Sequence[Spoken], w: Words) -> Timeline:
    """The drawing of the last events."""
    drawn = [one for one in spoken if not one.type.startswith("receipt.")][-MOST:]
    every = {agency for one in drawn for agency in (one.speaker, *_members([*one.to, *one.cc]), *one.by_law)}
    agencies = [agency for agency in MEMBERS if agency in every]
    lanes = {agency: _TOP + _LANE * number for number, agency in enumerate(agencies)}
    most = _LABEL[w.language]
    column = max(_NARROWEST, min(_WIDEST, _ALL_COLUMNS // max(len(drawn), 1)))
    columns = []
    for number, one in enumerate(drawn):
        x = _LEFT + column // 2 + column * number
        before = drawn[number - 1] if number else None
        days = 0 if before is None else (in_beijing(one.at).date() - in_beijing(before.at).date()).days
        columns.append(
            Column(
                x=x,
                said=one,
                label=one.title if len(one.title) <= most else one.title[: most - 1] + "…",
                y=lanes[one.speaker],
                dots=list(_dots(one, lanes)),
                lines=[(lanes[one.speaker], y, kind) for y, kind in _dots(one, lanes)],
                day=w("case.same_day")
                if before is not None and days == 0
                else f"{in_beijing(one.at):%y-%m-%d}",
                gap=w("case.days", n=Count(days)) if days else "",
                gap_x=x - column / 2,
            )
        )
    height = _TOP + _LANE * (len(agencies) - 1) + 12
    named = [(y, w.short(agency)) for agency, y in lanes.items()]
    return Timeline(_LEFT + column * max(len(drawn), 1), height, named, columns, len(spoken) - len(drawn))


def _dots(one: Spoken, lanes: Mapping[str, int]) -> list[tuple[int, str]]:
    found: dict[str, str] = {}
    for kind, agencies in (("to", _members(one.to)), ("cc", _members(one.cc)), ("law", list(one.by_law))):
        for agency in agencies:
            if agency != one.speaker and agency in lanes:
                found.setdefault(agency, kind)
    return [(lanes[agency], kind) for agency, kind in found.items()]


def _members(addresses: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(address.partition("/")[0] for address in addresses))


def _told(event: ChainEvent, catalog: Catalog) -> Sequence[str]:
    return [*event.told] or [*told(event.envelope, catalog.event(event.type))]


def _day(line: Mapping[str, Any], w: Words) -> str:
    moment = datetime.fromisoformat(line["time"])
    return w.day(moment) if line["precision"] == "day" else w.time(moment)


def _marks(line: Mapping[str, Any], w: Words) -> list[str]:
    found = []
    if line["corrected_by"]:
        found.append(w("case.corrected"))
    if line["withdrawn_by"]:
        found.append(w("case.withdrawn"))
    if line["outside"]:
        found.append(w("case.outside"))
    return found


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Decoded facts without what a summary does not read."""
    return {name: value for name, value in data.items() if name != "envelope"}
