"""Lawful ways off the main road: cancelled, withdrawn, returned, moved, cleared and challenged, protested."""

from typing import Any

from .matter import Matter, chain_of
from .penalty import DESK
from .road import COURT, CSRC, MPS, SPP, referred


def _whom(matter: Matter, refs: list[str] | None = None) -> dict[str, Any]:
    return {"suspects": matter.suspects(refs)}


def returned_as_not_competent(matter: Matter) -> None:
    """No business of the police: returned within a day, and the regulator goes on alone."""
    referral = matter.memory["referral"]
    matter.later(1)
    matter.say(
        "referral.returned_not_competent",
        MPS,
        "csrc",
        replies=referral,
        competent_organ="监委",
        reasons="职务犯罪",
    )


def withdrawn_before_filing(matter: Matter) -> None:
    """The regulator takes its referral back before the police decide, and refers the case again later."""
    matter.later(1, 2)
    matter.say("referral.withdrawn", CSRC, "mps", withdraws=matter.memory["referral"], reasons="补充调查")
    matter.later(20, 40)
    referred(matter)


def corrected(matter: Matter) -> None:
    """The regulator corrects its referral before anybody answers: answers are bound to it."""
    matter.memory["version"] = matter.say(
        "referral.corrected",
        CSRC,
        "mps",
        corrects=matter.memory["referral"],
        reasons="金额核对无误,补案号",
        case_no=f"补{matter.number}",
        amounts=matter.figures(),
    )


PARTS = (3_000_000, 4_000_000)
"""What is added to a matter's number for the chains of its parts."""


def split(matter: Matter) -> None:
    """Split in two cases, each filed with suspects and figures of its own: together those of the whole."""
    matter.later(2, 6)
    first, others = matter.refs[:1], matter.refs[1:]
    parts = [
        {"into": {"chain": chain_of(matter.number + part)}, "suspects": refs}
        for part, refs in zip(PARTS, (first, others), strict=True)
    ]
    matter.say("referral.split", MPS, "csrc spp", parts=parts, suspects=matter.suspects(), reasons="人数众多")
    for part, refs in zip(PARTS, (first, others), strict=True):
        figures = [{**amount, "value": _half(amount["value"])} for amount in matter.figures()]
        matter.later(0, 1)
        label = matter.say(
            *("referral.filed", MPS, "csrc spp"),
            label=f"part {part}",
            chain=matter.number + part,
            **{**matter.about(refs), "amounts": figures},
        )
        matter.later(1, 2)
        matter.say(*("referral.handed_over", CSRC, "mps"), replies=label, chain=matter.number + part)


SOURCE = 5_000_000
"""What is added to a matter's number for the chain of a case that is merged into it."""


def merged(matter: Matter) -> None:
    """Another case of the first suspect is filed and merged into this one (MPS Procedure, article 21)."""
    with matter.beside(matter.now):
        matter.later(1, 3)
        chain = matter.number + SOURCE
        facts = {"suspects": matter.suspects(["S1"]), "charges": matter.charged(["S1"])}
        other = matter.say(
            *("referral.submitted", CSRC, "mps"), label="other referral", chain=chain, cc=("spp",), **facts
        )
        received = {"received_at": matter.now.isoformat(), "competent": True, "complete": True}
        matter.say(
            *("referral.receipted", MPS, "csrc"),
            label="other receipt",
            chain=chain,
            replies=other,
            **received,
        )
        matter.later(1, 2)
        label = matter.say(
            *("referral.filed", MPS, "csrc"), label="other filing", chain=chain, replies=other, **facts
        )
        matter.later(1, 2)
        matter.say(*("referral.handed_over", CSRC, "mps"), label="other files", chain=chain, replies=label)
        matter.later(1, 3)
        matter.say(
            *("referral.merged", MPS, "csrc spp"),
            chain=chain,
            merged=[{"chain": chain_of(chain)}],
            into={"chain": matter.chain},
            reasons="一人犯数罪",
        )


def _half(value: str) -> str:
    return f"{float(value) / 2:.2f}"


def cancelled(matter: Matter) -> None:
    """The police cancel the case, tell it in three days (DL32), and pass it to the regulator."""
    matter.later(20, 60)
    decided = matter.now.isoformat()
    matter.later(0, 2)
    cancelling = matter.say(
        "progress.cancelled", MPS, "csrc spp", decided_at=decided, reasons="没有犯罪事实", **matter.people()
    )
    matter.later(2, 6)
    passed = matter.say(
        "reverse.police_transferred", MPS, "csrc", facts="违法事实", reasons="撤案", **_whom(matter)
    )
    matter.later(1, 2)
    matter.say("reverse.admin_opened", CSRC, "mps", replies=passed, opened_on=matter.today, **_whom(matter))
    matter.later(30, 70)
    matter.say(
        "reverse.penalty_decided", CSRC, "mps", replies=passed, decided_on=matter.today, **_whom(matter)
    )
    matter.memory["cancelling"] = cancelling


def ordered_to_cancel(matter: Matter) -> None:
    """The procuratorate asks why the police filed; its notice to cancel is contested once, and obeyed."""
    matter.later(3, 9)
    asked = matter.say(
        "supervision.reasons_requested",
        SPP,
        "mps",
        replies=matter.memory["filed"],
        about_filing=True,
        question="为何立案",
    )
    matter.signs(asked, MPS)
    matter.later(3, 6)
    answer = matter.say("supervision.reasons_answered", MPS, "spp", replies=asked, reasons="涉嫌犯罪")
    matter.signs(answer, SPP)
    matter.later(3, 8)
    notice = matter.say(
        "supervision.notice_to_cancel", SPP, "mps", replies=answer, reasons="不应立案", **_whom(matter)
    )
    matter.signs(notice, MPS)
    matter.later(3, 10)
    again = matter.say("supervision.reconsideration_requested", MPS, "spp", replies=notice, reasons="异议")
    matter.signs(again, SPP)
    matter.later(2, 6)
    upheld = matter.say(
        "supervision.reconsideration_decided", SPP, "mps", replies=again, result="upheld", reasons="维持"
    )
    matter.later(1, 2)
    review = matter.say("supervision.review_requested", MPS, "spp", replies=upheld, reasons="提请复核")
    matter.signs(review, SPP)
    matter.later(5, 12)
    matter.say("supervision.review_decided", SPP, "mps", replies=review, result="upheld", reasons="维持")
    cancelled(matter)


def moved_and_hurried(matter: Matter) -> None:
    """Another procuratorate becomes competent (article 328); the fast track is chosen there."""
    matter.later(3, 10)
    found = matter.today
    matter.later(1, 3)
    received = matter.today
    matter.say(
        "progress.jurisdiction_changed",
        SPP,
        "mps",
        found_on=found,
        received_on=received,
        from_unit=SPP,
        to_unit="spp/shenzhen",
        reasons="管辖",
    )
    matter.later(1, 3)
    matter.say(
        "progress.fast_track_chosen",
        "spp/shenzhen",
        "mps",
        replies=matter.memory["transferred"],
        received_on=matter.today,
        over_one_year=True,
        **matter.people(),
    )
    matter.later(3, 8)
    matter.memory["indictment"] = matter.say(
        "outcome.prosecuted",
        "spp/shenzhen",
        "court",
        cc=("mps", "csrc"),
        replies=matter.memory["transferred"],
        **matter.about(),
    )
    matter.memory["indicted"] = matter.refs


def indictment_withdrawn(matter: Matter) -> None:
    """The indictment is withdrawn, and the suspects are not prosecuted within thirty days (article 424)."""
    matter.later(15, 30)
    withdrawn = matter.say(
        "outcome.indictment_withdrawn",
        SPP,
        "court",
        cc=("mps", "csrc"),
        replies=matter.memory["indictment"],
        reasons="证据变化",
        **matter.people(),
    )
    matter.later(5, 25)
    label = matter.say(
        "outcome.not_prosecuted",
        SPP,
        "mps csrc",
        replies=withdrawn,
        kind="insufficient",
        reasons="证据不足",
        **matter.people(),
    )
    matter.memory["cleared"], matter.memory["clearing"] = matter.refs, label


def challenged(matter: Matter) -> None:
    """The police ask for reconsideration and review of a non-prosecution; the review for a penalty waits."""
    whom = _whom(matter, matter.memory["cleared"])
    clearing = matter.memory["clearing"]
    matter.signs(clearing, MPS)
    matter.later(1, 2)
    sent = matter.say("reverse.sent_to_admin_desk", SPP, DESK, replies=clearing, **whom)
    matter.later(1, 3)
    asked = matter.say(
        "outcome.reconsideration_requested", MPS, "spp", replies=clearing, reasons="应当起诉", **whom
    )
    matter.signs(asked, SPP)
    matter.later(10, 25)
    upheld = matter.say(
        "outcome.reconsideration_decided", SPP, "mps", replies=asked, result="upheld", reasons="维持", **whom
    )
    matter.signs(upheld, MPS)
    matter.later(1, 4)
    review = matter.say("outcome.review_requested", MPS, "spp", replies=upheld, reasons="提请复核", **whom)
    matter.signs(review, SPP)
    matter.later(10, 25)
    matter.say("outcome.review_decided", SPP, "mps", replies=review, result="upheld", reasons="维持", **whom)
    matter.later(1, 4)
    matter.say("reverse.terminated", DESK, SPP, replies=sent, reasons="无需处罚", **whom)


def protested(matter: Matter) -> None:
    """The procuratorate protests within ten days; the second instance needs and gets a longer time."""
    matter.later(20, 50)
    results = [{**charge, "result": "convicted"} for charge in matter.charged()]
    facts: dict[str, Any] = {"suspects": matter.suspects(), "results": results}
    label: dict[str, Any] = {"cc": ("mps", "csrc"), "replies": matter.memory["indictment"]}
    first = matter.say("outcome.judgment", COURT, "spp", instance="first", **label, **facts)
    matter.signs(first, SPP)
    matter.later(4, 8)
    protest = matter.say(
        "outcome.protested",
        SPP,
        "court",
        replies=first,
        effective=False,
        reasons="量刑畸轻",
        **matter.people(),
    )
    matter.signs(protest, COURT)
    matter.later(40, 50)
    matter.say(
        "outcome.trial_extended",
        "court/shanghai-high",
        "spp",
        replies=protest,
        level="next_higher",
        **_whom(matter),
    )
    matter.later(20, 50)
    second: dict[str, Any] = {"cc": ("mps", "csrc"), "replies": protest, "label": "second"}
    last = matter.say("outcome.judgment", "court/shanghai-high", "spp", instance="second", **second, **facts)
    matter.later(0, 2)
    matter.say("outcome.effective", COURT, "spp", replies=last, **_whom(matter))


def gains_of_the_fled(matter: Matter) -> None:
    """Confiscation of the gains of one who has fled: proposed, evidence supplied, applied for (art. 523)."""
    matter.later(10, 30)
    people = _whom(matter)
    proposed = matter.say("asset.confiscation_proposed", MPS, "spp", reasons="逃匿", **people)
    matter.signs(proposed, SPP)
    matter.later(8, 15)
    asked = matter.say(
        "asset.confiscation_evidence_requested", SPP, "mps", replies=proposed, missing=["资金流水"]
    )
    matter.later(10, 30)
    matter.say("asset.confiscation_evidence_supplied", MPS, "spp", replies=asked, supplied=["资金流水"])
    matter.later(3, 10)
    matter.say("asset.confiscation_applied", SPP, "court", cc=("mps",), replies=proposed, **people)
