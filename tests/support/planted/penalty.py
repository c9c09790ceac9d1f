"""Lawful cases that end before the regulator: its own penalties, and those after a non-prosecution."""

from typing import Any

from .matter import Matter
from .road import CSRC, MPS, SPP

DESK = "spp/admin-desk"
FINE = "600000.00"


def penalised(matter: Matter, *, fine: str | None = FINE) -> None:
    """The regulator notifies and decides a penalty, and copies it within ten days (2006 opinion, item 1)."""
    matter.later(5, 20)
    matter.say(
        "administrative.penalty_notified", CSRC, "spp", security=matter.security, suspects=matter.suspects()
    )
    matter.later(10, 30)
    sanctions: list[dict[str, Any]] = [
        {"suspect": ref, "kind": "fine", "amount": fine} for ref in matter.refs if fine
    ]
    decision = matter.say(
        "administrative.penalty_decided",
        CSRC,
        "spp mps court",
        document_no=f"〔2025〕{matter.number}号",
        security=matter.security,
        suspects=matter.suspects(),
        sanctions=sanctions,
    )
    decided = matter.today
    matter.later(1, 8)
    matter.say(
        "administrative.penalty_copied",
        CSRC,
        "mps spp",
        replies=decision,
        document_no=f"〔2025〕{matter.number}号",
        decided_on=decided,
        suspects=matter.suspects(),
    )
    matter.memory["fined"] = fine


def committed(matter: Matter) -> None:
    """A party commits itself, keeps its word, and the commitment ends."""
    matter.later(10, 30)
    number: dict[str, Any] = {"commitment_no": f"承诺{matter.number}", "suspects": matter.suspects()}
    matter.say("administrative.commitment_accepted", CSRC, "spp", security=matter.security, **number)
    matter.later(30, 60)
    matter.say(
        "administrative.commitment_ended", CSRC, "spp", ground="fulfilled", ended_on=matter.today, **number
    )


def not_prosecuted(matter: Matter, refs: list[str]) -> str:
    """Decided not to prosecute these."""
    matter.later(1, 3)
    label = matter.say(
        "outcome.not_prosecuted",
        SPP,
        "mps csrc",
        replies=matter.memory["transferred"],
        kind="discretionary",
        reasons="情节轻微",
        suspects=matter.suspects(refs),
        charges=matter.charged(refs),
    )
    matter.memory["cleared"], matter.memory["clearing"] = refs, label
    return label


def passed_on(matter: Matter) -> None:
    """Passed on in three working days, an opinion in ten more (guideline of 2024, articles 8 and 12)."""
    refs = matter.memory["cleared"]
    whom: dict[str, Any] = {"suspects": matter.suspects(refs)}
    matter.later(1, 2)
    sent = matter.say("reverse.sent_to_admin_desk", SPP, DESK, replies=matter.memory["clearing"], **whom)
    if matter.dice.random() < 0.4:
        matter.later(1, 2)
        stood = matter.say("reverse.suspended", DESK, SPP, replies=sent, ground="complaint", **whom)
        matter.later(12, 30)
        matter.say("reverse.resumed", DESK, SPP, replies=stood, **whom)
    matter.later(3, 6)
    opinion = matter.say(
        "reverse.opinion_issued",
        DESK,
        "csrc",
        replies=sent,
        security=matter.security,
        facts="违法事实",
        opinion="建议处罚",
        **whom,
    )
    matter.memory["opinion"] = opinion


def punished_instead(matter: Matter) -> None:
    """The regulator opens a case, decides within ninety days, answers the opinion, and the way is closed."""
    whom: dict[str, Any] = {"suspects": matter.suspects(matter.memory["cleared"])}
    opinion = matter.memory["opinion"]
    matter.later(1, 3)
    matter.say("reverse.receipted", CSRC, DESK, replies=opinion, received_at=matter.now.isoformat())
    matter.later(1, 5)
    matter.say("reverse.admin_opened", CSRC, DESK, replies=opinion, opened_on=matter.today, **whom)
    matter.later(20, 35)
    if matter.dice.random() < 0.7:
        sanctions = [
            {"suspect": one["ref"], "kind": "fine", "amount": "200000.00"} for one in whom["suspects"]
        ]
        matter.say(
            "reverse.penalty_decided",
            CSRC,
            DESK,
            replies=opinion,
            decided_on=matter.today,
            sanctions=sanctions,
            **whom,
        )
    else:
        matter.say("reverse.no_penalty", CSRC, DESK, replies=opinion, reasons="轻微并及时改正", **whom)
    matter.later(1, 5)
    reply = matter.say(
        "reverse.replied", CSRC, DESK, replies=opinion, result="penalised", reasons="已作出决定", **whom
    )
    matter.later(3, 10)
    matter.say("reverse.closed", DESK, "csrc", replies=reply, result="penalised", reasons="已处理", **whom)


def passed_by_the_police(matter: Matter) -> None:
    """The reasons for not filing hold; the police pass the case to the regulator, who decides."""
    matter.say(
        "supervision.reasons_accepted", SPP, "csrc", replies=matter.memory["answered"], reasons="理由成立"
    )
    matter.later(2, 6)
    passed = matter.say(
        "reverse.police_transferred",
        MPS,
        "csrc",
        facts="违法事实",
        reasons="不立案",
        suspects=matter.suspects(),
    )
    matter.later(1, 2)
    matter.say("reverse.receipted", CSRC, "mps", replies=passed, received_at=matter.now.isoformat())
    matter.later(2, 6)
    whom: dict[str, Any] = {"suspects": matter.suspects()}
    matter.say("reverse.admin_opened", CSRC, "mps", replies=passed, opened_on=matter.today, **whom)
    matter.later(30, 70)
    matter.say("reverse.no_penalty", CSRC, "mps", replies=passed, reasons="违法行为轻微", **whom)
