"""Hypothesis strategies: random cases whose events answer, correct, withdraw and repeat each other."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog

from .chains import amount, at, charges, results, say, suspects
from .remedy_cases import remedy_field

NAMES = "abcdefgh"
TELLING = (
    "referral.submitted",
    "referral.receipted",
    "referral.filed",
    "referral.not_filed",
    "referral.corrected",
    "referral.withdrawn",
    "referral.extension_approved",
    "progress.transferred_for_prosecution",
    "outcome.prosecuted",
    "outcome.not_prosecuted",
    "outcome.judgment",
    "supervision.notice_to_file",
    "progress.returned_for_supplement",
    "progress.resubmitted",
    "progress.custody_recalculated",
    "progress.custody_extended",
    "reverse.sent_to_admin_desk",
    "reverse.opinion_issued",
    "reverse.replied",
    "reverse.closed",
    "consultation.requested",
    "consultation.answered",
    "asset.frozen",
    "asset.released",
    "asset.balance_statement",
    "aml.clue_raised",
)
"""Types that some rule or clock knows."""
ALL_TYPES = tuple(name for name in Catalog.load().types if not name.startswith(("finding.", "key.")))
ASSETS = {
    "items": (["A1 100"], ["A1 100", "A2 40"]),
    "moves": (["A1"], ["A1 60"], ["A2 60"]),
    "balances": (["A1 taken=100 held=100"], ["A1 taken=100 held=40 released=60", "sum taken=100 held=100"]),
}
CHECKS = (["S1 161 S2 others 191"], ["S1 161 S2 others 312", "S1 182 - unknown -"])
"""What events about assets and laundering may say, in the short form of rule cases."""


@st.composite
def random_cases(draw: st.DrawFn, most: int = len(NAMES)) -> list[ChainEvent]:
    """Events of one chain with amounts, suspects and charges, in the order in which they arrive."""
    return [draw(_events(name)) for name in NAMES[: draw(st.integers(1, most))]]


@st.composite
def _events(draw: st.DrawFn, name: str) -> ChainEvent:
    day = draw(st.integers(1, 28))
    who = draw(st.lists(st.sampled_from(("甲", "乙", "丙")), max_size=2, unique=True))
    pairs = [(f"S{n}", draw(st.sampled_from(("161", "182")))) for n in range(1, len(who) + 1)]
    # No event holds its own digest; its own id it may hold.
    others = st.none() | st.sampled_from([other for other in NAMES if other != name])
    received = "1822-09-01" if draw(st.integers(0, 9)) == 0 else f"2022-09-{day:02d}T10:00"
    data: dict[str, Any] = {
        "suspects": suspects(*who, tokens={who[0]: (draw(st.sampled_from((b"1", b"2"))),)} if who else None),
        "charges": charges(*pairs),
        "results": results(*pairs),
        "amounts": [amount("illegal_gain", str(draw(st.sampled_from((1, 2, 10000)))))],
        "received_at": at(received),
        "competent": draw(st.booleans()),
        "complete": draw(st.booleans()),
        "level": draw(st.sampled_from(("county", "superior", "next_higher"))),
        "until": date(2022, 10, 30),
        "discovered_on": date(2022, 9, day),
    }
    type = draw(st.sampled_from(TELLING) | st.sampled_from(ALL_TYPES))
    if type.startswith("aml."):
        data["checks"] = remedy_field("checks", draw(st.sampled_from(CHECKS)))
    if type.startswith("asset."):
        data.update(
            {field: remedy_field(field, draw(st.sampled_from(said))) for field, said in ASSETS.items()}
        )
    kept = draw(st.sets(st.sampled_from(sorted(data))))
    corrects, withdraws = draw(st.sampled_from(((True, False), (False, True), *[(False, False)] * 4)))
    return say(
        name,
        type,
        f"2022-09-{day:02d}T10:00",
        agency=draw(st.sampled_from(("csrc", "mps", "spp"))),
        to=("mps", "csrc"),
        replies=draw(st.none() | st.sampled_from(NAMES)),
        binds=draw(others),
        corrects=draw(others) if corrects else None,
        withdraws=draw(others) if withdraws else None,
        prev=draw(st.none() | others),
        id_of=draw(st.sampled_from((None, None, None, *NAMES))),
        admitted=f"2022-10-{draw(st.integers(1, 28)):02d}T10:00",
        **{field: value if field in kept else _nothing(value) for field, value in data.items()},
    )


def _nothing(value: Any) -> Any:
    return [] if isinstance(value, list) else None
