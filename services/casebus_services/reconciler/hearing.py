"""Who hears what of a change in a chain's book: an announcement for all who may see the same. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from casebus_schemas.case.chain import Digest, highest
from casebus_schemas.case.duty_said import Duty
from casebus_schemas.frozen import quickly_made
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.sight import hearers, home, seen_by, shown_to
from casebus_schemas.times import to_moment
from casebus_schemas.wire.uuids import uuid_text

AnnouncementKind = Literal["obligation.announced", "finding.opened", "finding.closed"]

AGREES_NOW = Sentence("差异已因新的事件消除", "later events have removed what was found")
SETTLED = Sentence(
    "有关机关均同意关闭,任一机关可重新提出",
    "all whom it concerns have agreed to close it; each may open it again",
)
"""Of findings that the agencies themselves have closed."""
OVERTAKEN = Sentence(
    "此后另有陈述,原提示不再适用", "what was said later has taken the place of what was found"
)
"""What those hear who never saw the other account: the same whether the accounts agree now or not."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Closing:
    """That a finding no longer holds; `cause` is the event that settled it, for those who were told of it."""

    id: UUID
    rule: str
    chain: str
    because: Sentence
    cause: Digest | None
    closed_at: datetime


@quickly_made
@dataclass(frozen=True, slots=True)
class Announcement:
    """What one event, or one instant, makes the bus say of a chain to the same agencies, once.

    `subject` and `causes` give its event the id; `about` holds duties, findings or closings as `kind` says,
    each as all of `to` may see it. `handling` is the highest level of what they rest on.
    """

    kind: AnnouncementKind
    subject: str
    causes: tuple[Digest, ...]
    chain: str
    about: tuple[Duty, ...] | tuple[Finding, ...] | tuple[Closing, ...]
    law: tuple[Article, ...]
    to: tuple[str, ...]
    at: datetime
    handling: str

    def part(self, first: int, end: int) -> "Announcement":
        """The same of some of those that it is about: the subject has two lines for each of them."""
        lines = self.subject.split("\n")
        some = [*lines[2 * first : 2 * end], *lines[2 * len(self.about) :]]
        return replace(self, subject="\n".join(some), about=self.about[first:end])


@dataclass(frozen=True, slots=True)
class DutyEntry:
    """A duty as last entered: how it stood, and the event that last changed it."""

    duty: Duty
    basis: Digest
    moot_at: datetime | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A finding as it was entered before, if it was, and as it stands now."""

    before: Finding | None
    now: Finding


_Group = tuple[tuple[str, ...], bool]
"""Who hears the same, and whether that is only a part."""
_Groups = dict[_Group, list[tuple[Finding, Finding]]]
"""For each group the findings, and each as the group sees it."""


def duties_said(changed: Sequence[DutyEntry], chain: str, now: datetime) -> list[Announcement]:
    """What is said of duties that have changed, to those parties who were told of what started them."""
    if not changed:
        return []
    groups: dict[tuple[tuple[str, ...], bool], list[tuple[DutyEntry, Duty]]] = {}
    for entry in changed:
        kinds: dict[bool, tuple[Duty, list[str]]] = {}
        for party in entry.duty.parties:
            view = shown_to(party, entry.duty)
            if view is not None:
                kinds.setdefault(view is entry.duty, (view, []))[1].append(party)
        for whole, (view, parties) in kinds.items():
            groups.setdefault((tuple(parties), not whole), []).append((entry, view))
    said = []
    for (told, partly), entries in sorted(groups.items(), key=lambda group: group[0]):
        entries.sort(key=lambda pair: (pair[1].rule, pair[1].id))
        said.append(
            Announcement(
                "obligation.announced",
                _subject((f"{uuid_text(duty.id)}\n{duty.state}" for _, duty in entries), told, partly=partly),
                tuple(dict.fromkeys(entry.basis for entry, _ in entries)),
                chain,
                tuple(duty for _, duty in entries),
                (),
                told,
                now,
                highest(duty.handling for _, duty in entries),
            )
        )
    return said


def findings_said(
    turns: Iterable[Turn],
    chain: str,
    trigger: Digest | None,
    now: datetime,
    cause: Digest | None = None,
    because: Sentence = AGREES_NOW,
    told_cause: frozenset[str] | None = None,
) -> list[Announcement]:
    """What is said of findings that opened or closed, to each agency as far as it may see it.

    `trigger` is the event that brought them about, None for the time; `cause` what closed them, and `because`
    why in words, both for those who were told of that event (None: for all).
    """
    turns = list(turns)
    if not turns:
        return []
    opened: _Groups = {}
    closed: _Groups = {}
    for turn in turns:
        before, after = _hearing(turn.before), _hearing(turn.now)
        known = before if turn.before and _still_said(turn.before, turn.now) else ()
        _group(opened, turn.now, [agency for agency in after if agency not in known])
        if turn.before is not None:
            gone = [agency for agency in before if agency not in after]
            untold = [] if told_cause is None else [name for name in gone if home(name) not in told_cause]
            _group(closed, turn.before, [agency for agency in gone if agency not in untold])
            _group(closed, turn.before, untold, partly=True)
    settled = {turn.now.id for turn in turns if is_settled(turn.now)}
    if not opened and not closed:
        return []
    said = [
        _opened(told, found, chain, trigger, partly=partly) for (told, partly), found in _in_order(opened)
    ]
    said.extend(
        _closed(told, found, chain, now, cause, OVERTAKEN if partly else because, settled, partly=partly)
        for (told, partly), found in _in_order(closed)
    )
    return said


def is_settled(finding: Finding) -> bool:
    """Whether the agencies themselves have closed it, by their words."""
    return finding.state == "closed" and any(word.said == "settled" for word in finding.words)


def _in_order(groups: _Groups) -> list[tuple[_Group, list[tuple[Finding, Finding]]]]:
    ordered = sorted(groups.items(), key=lambda group: group[0])
    for _, found in ordered:
        found.sort(key=lambda pair: (pair[1].rule, pair[1].id))
    return ordered


def _hearing(finding: Finding | None) -> tuple[str, ...]:
    """Who hears of it now. What is only of information is listed, but nobody is disturbed by it."""
    if finding is None or finding.state == "closed" or finding.severity == "info":
        return ()
    return hearers(finding)


def _still_said(before: Finding, now: Finding) -> bool:
    """Whether what was said still says it: not where a time is contested since, or an acceptance is void."""
    reopened = before.state == "accepted" and now.state != "accepted"
    return before.state != "closed" and before.contested == now.contested and not reopened


def _group(groups: _Groups, finding: Finding, agencies: Iterable[str], *, partly: bool = False) -> None:
    views: list[tuple[Finding, list[str]]] = []
    bare = replace(finding, words=()) if finding.words else finding
    for agency in agencies:
        view = seen_by(agency, bare)
        if view is None:
            continue
        for known, told in views:
            if known == view:
                told.append(agency)
                break
        else:
            views.append((view, [agency]))
    for view, told in views:
        groups.setdefault((tuple(told), partly or view is not bare), []).append((finding, view))


def _opened(
    told: tuple[str, ...],
    found: list[tuple[Finding, Finding]],
    chain: str,
    trigger: Digest | None,
    *,
    partly: bool,
) -> Announcement:
    views = tuple(view for _, view in found)
    return Announcement(
        "finding.opened",
        # No event tells apart what the time opens twice: a term that was extended runs out again.
        _subject(
            (f"{uuid_text(v.id)}\n{v.state if trigger else _since(v)}" for v in views), told, partly=partly
        ),
        (trigger,) if trigger else tuple(dict.fromkeys(finding.causes[0] for finding, _ in found)),
        chain,
        views,
        tuple(dict.fromkeys(article for view in views for article in view.law)),
        told,
        max(view.opened_at for view in views),
        highest(finding.handling for finding, _ in found),
    )


def _closed(
    told: tuple[str, ...],
    found: list[tuple[Finding, Finding]],
    chain: str,
    now: datetime,
    cause: Digest | None,
    because: Sentence,
    settled: Collection[UUID],
    *,
    partly: bool,
) -> Announcement:
    closings = tuple(
        Closing(
            view.id,
            view.rule,
            view.chain,
            SETTLED if view.id in settled else because,
            None if partly else cause,
            now,
        )
        for _, view in found
    )
    return Announcement(
        "finding.closed",
        _subject((f"{uuid_text(closing.id)}\nclosed" for closing in closings), told, partly=partly),
        (cause,) if cause else (),
        chain,
        closings,
        (),
        told,
        now,
        highest(finding.handling for finding, _ in found),
    )


def _since(finding: Finding) -> str:
    return f"{finding.state} {to_moment(finding.opened_at)}"


def _subject(lines: Iterable[str], told: tuple[str, ...], *, partly: bool) -> str:
    """What gives the event its id: others may hear more of the same."""
    return "\n".join((*lines, f"to {','.join(told)}") if partly else lines)
