"""R36: what was handed over is not what the referral listed: a document is missing, changed or not listed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import RuleId

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import correction_by, few, named

RULE = Rule(
    RuleId("R36"),
    title=Sentence("移交清单与移送附件不符", "the list handed over is not that of the referral"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=("referral.submitted", "referral.supplemented", "referral.handed_over"),
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


@RULE.over_case
def other_list(case: Case) -> Iterator[Found]:
    """What is missing, what bears a listed title and is another file, and what no annex lists."""
    standing = case.folded.standing_of
    handed = standing.get("referral.handed_over", [])
    if not handed:
        return
    referred = [*standing.get("referral.submitted", []), *standing.get("referral.supplemented", [])]
    items = _of(handed, "items")
    annexes = [annex for annex in _of(referred, "annexes") if annex["kind"] not in CAME_WITH_THE_LETTER]
    if not annexes or not items:
        return
    missing, changed, unlisted = _differences(annexes, items)
    if not missing and not changed and not unlisted:
        return
    listed = {**few("missing", missing), **few("changed", changed)}
    yield Found(
        subject="list",
        causes=[referred[0], handed[-1]],
        named_by=[referred[0], handed[0]],
        accounts=[
            account(referred[0], {"listed": len(annexes), **listed}, *referred, compared=tuple(listed)),
            account(
                handed[-1],
                {"handed": len(items), **few("unlisted", unlisted)},
                *handed,
                compared=("unlisted", "unlisted_in_all"),
            ),
        ],
        because=_because(missing, changed, unlisted),
        suggestion=correction_by(handed[-1], case.catalog),
        uses=(*referred, *handed),
    )


def _of(events: Iterable[ChainEvent], field: str) -> list[Mapping[str, Any]]:
    return [entry for event in events for entry in event.data.get(field) or ()]


def _differences(
    annexes: list[Mapping[str, Any]], items: list[Mapping[str, Any]]
) -> tuple[list[str], list[str], list[str]]:
    digests = {item["sha256"] for item in items if item["sha256"]}
    listed = {annex["sha256"] for annex in annexes if annex["sha256"]}
    titles = {annex["title"] for annex in annexes}
    handed: dict[str, set[bytes | None]] = {}
    for item in items:
        handed.setdefault(item["title"], set()).add(item["sha256"])
    missing: list[str] = []
    changed: list[str] = []
    for annex in annexes:
        given = handed.get(annex["title"], set())
        if annex["sha256"] in digests or (given and (None in given or annex["sha256"] is None)):
            continue
        (changed if given else missing).append(annex["title"])
    unlisted = [
        item["title"]
        for item in items
        if item["sha256"] and item["sha256"] not in listed and item["title"] not in titles
    ]
    return missing, changed, unlisted


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
