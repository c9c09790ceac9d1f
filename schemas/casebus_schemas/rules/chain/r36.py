"""R36: what was handed over is not what the referral listed: a document is missing, changed or not listed."""

from collections.abc import Iterator, Mapping
from typing import Any

from casebus_schemas.case.basis import Basis
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import RuleId

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import correction_by, few, named

_REFERRED, _SUPPLEMENTED = "referral.submitted", "referral.supplemented"
_HANDED = "referral.handed_over"

_Place = tuple[bool, int]
"""Where a document stands: in a supplement or not, and as which of all."""

RULE = Rule(
    RuleId("R36"),
    title=Sentence("移交清单与移送附件不符", "the list handed over is not that of the referral"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=(_REFERRED, _SUPPLEMENTED, _HANDED),
    acts=Sentence("移交的行政机关", "the regulator that handed over"),
    mends=Sentence(
        "补充移交或更正清单", "to hand over the rest, or a correction of the list or of the annexes"
    ),
    closes=Sentence("清单逐件相符时", "when the lists agree, document by document"),
    law=(Article("decree-310", "12"),),
)
"""Documents are held together by their digests, and by their titles where one of them has none. Goods have no
digest: they stand in no annex and are not compared."""

CAME_WITH_THE_LETTER = ("transfer_letter", "penalty_decision")
"""Annexes that are no part of the files: the letter of referral itself and decisions taken before."""


class Documents(Kept):
    """What the annexes of the referral list and what was handed over, held together as they come.

    A document that was handed over stays so, whatever comes behind it: each is looked at once more at most
    for its title and its digest.
    """

    types = frozenset((_REFERRED, _SUPPLEMENTED, _HANDED))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self.of = {type: Basis() for type in self.types}
        self.listed = self.handed = 0
        # By place: those of the referral stand before those of its supplements.
        self.missing: dict[_Place, str] = {}
        self.changed: dict[_Place, str] = {}
        self.unlisted: dict[_Place, str] = {}
        self._annexes = _Papers()
        self._items = _Papers()

    def add(self, event: ChainEvent) -> None:
        """Takes a referral, a supplement or a hand-over."""
        self.of[event.type].add(event)
        if event.type == _HANDED:
            for item in event.data.get("items") or ():
                self.handed += 1
                self._hand(item)
            return
        for annex in event.data.get("annexes") or ():
            if annex["kind"] not in CAME_WITH_THE_LETTER:
                self.listed += 1
                self._list((event.type != _REFERRED, self.listed), annex)

    def _list(self, place: _Place, annex: Mapping[str, Any]) -> None:
        sha256, title = annex["sha256"], annex["title"]
        self._annexes.add(place, sha256, title)
        for listed in (*self._items.with_digest.pop(sha256, ()), *self._items.with_title.pop(title, ())):
            self.unlisted.pop(listed, None)
        given = self._items.digests_of.get(title, set())
        if sha256 in self._items.digests or (given and (None in given or sha256 is None)):
            return
        (self.changed if given else self.missing)[place] = title

    def _hand(self, item: Mapping[str, Any]) -> None:
        sha256, title = item["sha256"], item["title"]
        place = (False, self.handed)
        if sha256 and sha256 not in self._annexes.digests and title not in self._annexes.digests_of:
            self.unlisted[place] = title
        known = self._items.digests_of.get(title, set())
        first, without = not known, sha256 is None and None not in known
        self._items.add(place, sha256, title)
        for there in self._annexes.with_digest.pop(sha256, ()) if sha256 else ():
            self.missing.pop(there, None)
            self.changed.pop(there, None)
        if first or without:
            for there in self._annexes.with_title.get(title, ()):
                self._give(there, title, any_will_do=without)

    def _give(self, place: _Place, title: str, *, any_will_do: bool) -> None:
        was = self.missing.pop(place, None) or self.changed.pop(place, None)
        if was is not None and not any_will_do and place not in self._annexes.without_digest:
            self.changed[place] = title


class _Papers:
    """Documents by digest and by title."""

    def __init__(self) -> None:
        self.digests: set[bytes] = set()
        self.digests_of: dict[str, set[bytes | None]] = {}
        self.with_digest: dict[bytes | None, list[_Place]] = {}
        self.with_title: dict[str, list[_Place]] = {}
        self.without_digest: set[_Place] = set()

    def add(self, place: _Place, sha256: bytes | None, title: str) -> None:
        self.digests_of.setdefault(title, set()).add(sha256)
        self.with_title.setdefault(title, []).append(place)
        if sha256:
            self.digests.add(sha256)
            self.with_digest.setdefault(sha256, []).append(place)
        else:
            self.without_digest.add(place)


@RULE.over_case
def other_list(case: Case) -> Iterator[Found]:
    """What is missing, what bears a listed title and is another file, and what no annex lists."""
    if _HANDED not in case.folded.standing_of:
        return
    kept = case.kept(Documents)
    if not kept.listed or not kept.handed:
        return
    missing, changed, unlisted = (_in_order(of) for of in (kept.missing, kept.changed, kept.unlisted))
    if not missing and not changed and not unlisted:
        return
    listed = {**few("missing", missing), **few("changed", changed)}
    referred = [*kept.of[_REFERRED], *kept.of[_SUPPLEMENTED]]
    first = (kept.of[_REFERRED] if kept.of[_REFERRED].count else kept.of[_SUPPLEMENTED]).ends[0]
    first_handed, handed = kept.of[_HANDED].ends
    yield Found(
        subject="list",
        causes=[first, handed],
        named_by=[first, first_handed],
        accounts=[
            account(first, {"listed": kept.listed, **listed}, *referred, compared=tuple(listed)),
            account(
                handed,
                {"handed": kept.handed, **few("unlisted", unlisted)},
                *kept.of[_HANDED],
                compared=("unlisted", "unlisted_in_all"),
            ),
        ],
        because=_because(missing, changed, unlisted),
        suggestion=correction_by(handed, case.catalog),
        uses=(*referred, *kept.of[_HANDED]),
    )


def _in_order(titles: Mapping[_Place, str]) -> list[str]:
    return [titles[place] for place in sorted(titles)]


def _because(missing: list[str], changed: list[str], unlisted: list[str]) -> Sentence:
    zh, en = [], []
    for names, said_zh, said_en in (
        (missing, "移送附件未移交", "listed in the referral and not handed over"),
        (changed, "同名文件内容不同", "handed over under a listed title, but another file"),
        (unlisted, "移交了附件未列的文件", "handed over and listed nowhere"),
    ):
        if names:
            which = named(names)
            zh.append(f"{said_zh}:{which.zh}")
            en.append(f"{said_en}: {which.en}")
    return Sentence(";".join(zh), "; ".join(en))
