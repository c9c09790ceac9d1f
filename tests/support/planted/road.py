"""The road of a lawful criminal case: referral, filing, custody, review, trial; every term is kept."""

from datetime import date, timedelta
from typing import Any

from casebus_schemas.case.chain import Digest

from .matter import Matter, digest_of

CSRC, MPS, SPP, COURT = "csrc/shanghai-office", "mps/shanghai", "spp/shanghai", "court/shanghai"
ANNEXES = ("调查报告", "涉案物品清单", "检验报告")


def annexes(matter: Matter) -> list[dict[str, object]]:
    """The annexes of the referral: the letter, and three documents with their digests."""
    documents: list[dict[str, Any]] = [
        {"kind": "other", "title": title, "sha256": _document(matter, title).hex()} for title in ANNEXES
    ]
    return [{"kind": "transfer_letter", "title": "涉嫌犯罪案件移送书"}, *documents]


def _document(matter: Matter, title: str) -> Digest:
    return digest_of(matter.number, f"document {title}")


def opened(matter: Matter) -> None:
    """A clue comes in, and the regulator opens its own case."""
    sender = matter.dice.choice((MPS, SPP))
    clue = matter.say(
        "clue.submitted",
        sender,
        "csrc",
        source="exchange_alert",
        security=matter.security,
        conduct="异常交易",
    )
    matter.later(0, 1)
    matter.say("clue.receipted", CSRC, sender[:3], replies=clue, received_at=matter.now.isoformat())
    matter.later(2, 5)
    matter.say("clue.assessed", CSRC, sender[:3], replies=clue, result="accepted", reasons="有价值")
    matter.say("administrative.case_opened", CSRC, "spp", security=matter.security, conduct="涉嫌违法")
    matter.later(20, 60)
    matter.say("clue.closed", CSRC, sender[:3], replies=clue, result="accepted", reasons="已立案调查")


def referred(matter: Matter, *, approved: bool = True) -> str:
    """Approved, and referred within a day (Decree 310, article 5)."""
    if approved:
        at = matter.now
        matter.say(
            "referral.approved",
            CSRC,
            reported_at=(at - timedelta(hours=20)).isoformat(),
            approved_at=at.isoformat(),
            **matter.people(),
        )
        matter.memory["approved_at"] = at.isoformat()
    label = matter.say(
        "referral.submitted",
        CSRC,
        "mps",
        cc=("spp",),
        approved_at=matter.memory.get("approved_at"),
        annexes=annexes(matter),
        **matter.about(),
    )
    matter.memory["referral"] = label
    return label


def receipted(matter: Matter, *, competent: bool = True, complete: bool = True) -> str:
    """Signed for on the same day."""
    received = matter.now + timedelta(minutes=2)
    return matter.say(
        "referral.receipted",
        MPS,
        "csrc",
        replies=matter.memory["referral"],
        received_at=received.isoformat(),
        competent=competent,
        complete=complete,
        missing=[] if complete else ["检验报告"],
    )


def accepted(matter: Matter) -> None:
    """Receipted: at once complete, or supplemented within three days, or forwarded to the right organ."""
    way = matter.dice.choice(("complete", "complete", "supplemented", "forwarded"))
    if way == "complete":
        receipted(matter)
    elif way == "supplemented":
        receipted(matter, complete=False)
        asked = matter.say(
            "referral.supplement_requested",
            MPS,
            "csrc",
            replies=matter.memory["referral"],
            missing=["检验报告"],
        )
        matter.later(1, 2)
        label = matter.say("referral.supplemented", CSRC, "mps", replies=asked, note="补齐")
        matter.signs(label, "mps/shanghai")
    else:
        receipted(matter, competent=False)
        matter.say(
            "referral.forwarded",
            MPS,
            "csrc",
            replies=matter.memory["referral"],
            from_unit=MPS,
            to_unit="mps/shenzhen",
        )
        receipted(matter)


def filed(matter: Matter, *, answers: str | None = None) -> str:
    """Filed, and the goods and files handed over within three days (Decree 310, article 12)."""
    label = matter.say(
        "referral.filed",
        MPS,
        "csrc",
        replies=answers or matter.memory["referral"],
        case_no=f"A{matter.number}",
        **matter.about(),
    )
    if matter.dice.random() < 0.5:
        matter.signs(label, CSRC)
    matter.later(1, 2)
    items = [
        {"no": str(place), "title": title, "sha256": _document(matter, title).hex()}
        for place, title in enumerate(ANNEXES, 1)
    ]
    matter.say("referral.handed_over", CSRC, "mps", replies=label, items=items)
    matter.memory["filed"] = label
    return label


def decided_on_filing(matter: Matter) -> None:
    """Filed within three or ten days, or within thirty with the approval that this needs."""
    way = matter.dice.choice(("prompt", "prompt", "latest", "county"))
    if way == "prompt":
        matter.later(1, 2)
    elif way == "latest":
        matter.later(5, 8)
    else:
        matter.later(6, 8)
        matter.say(
            "referral.extension_approved",
            MPS,
            "csrc",
            replies=matter.memory["referral"],
            level="county",
            approved_at=matter.now.isoformat(),
        )
        matter.later(8, 15)
    filed(matter)


def refused(matter: Matter) -> None:
    """Not filed, reconsidered, upheld, supervised: each step within its days."""
    matter.later(1, 2)
    referral = matter.memory["referral"]
    decision = matter.say(
        "referral.not_filed", MPS, "csrc", replies=referral, reasons="情节轻微", **matter.people()
    )
    matter.signs(decision, CSRC)
    matter.later(1, 2)
    asked = matter.say(
        "referral.reconsideration_requested", CSRC, "mps", replies=decision, reasons="达到追诉标准"
    )
    matter.signs(asked, MPS)
    matter.later(1, 2)
    upheld = matter.say(
        "referral.reconsideration_decided", MPS, "csrc", replies=asked, result="upheld", reasons="维持"
    )
    matter.signs(upheld, CSRC)
    matter.later(1, 2)
    suggested = matter.say("supervision.suggested", CSRC, "spp", replies=upheld, reasons="应当立案")
    matter.later(2, 5)
    reasons = matter.say(
        "supervision.reasons_requested",
        SPP,
        "mps",
        replies=suggested,
        about_filing=False,
        question="说明理由",
    )
    matter.signs(reasons, MPS)
    matter.later(3, 6)
    answered = matter.say("supervision.reasons_answered", MPS, "spp", replies=reasons, reasons="证据不足")
    matter.signs(answered, SPP)
    matter.later(3, 8)
    matter.memory["answered"] = answered


def ordered(matter: Matter) -> None:
    """The procuratorate orders the filing, and the police file within fifteen days (SPP Rules, art. 563)."""
    notice = matter.say(
        "supervision.notice_to_file", SPP, "mps", replies=matter.memory["answered"], reasons="应当立案"
    )
    matter.signs(notice, MPS)
    matter.later(4, 13)
    filed(matter, answers=notice)


def investigated(matter: Matter) -> None:
    """Custody within its limits, or none; then the investigation is concluded."""
    matter.later(5, 20)
    matter.say("progress.measures_taken", MPS, "spp", **matter.people())
    if matter.dice.random() < 0.7:
        _in_custody(matter)
    else:
        _at_large(matter)
    matter.say("progress.concluded", MPS, "spp", **matter.people())


def _in_custody(matter: Matter) -> None:
    matter.later(5, 20)
    detained = matter.say("progress.detained", MPS, "spp", **matter.people())
    if matter.dice.random() < 0.4:
        matter.later(1, 2)
        matter.say(
            "progress.detention_extended", MPS, "spp", replies=detained, level="special", **matter.people()
        )
        matter.later(2, 3)
    else:
        matter.later(1, 2)
    asked = matter.say("progress.arrest_requested", MPS, "spp", in_custody=True, **matter.people())
    matter.signs(asked, SPP)
    matter.later(3, 6)
    arrest = matter.say("progress.arrest_approved", SPP, "mps", replies=asked, **matter.people())
    matter.later(0, 1)
    executed = matter.now.date()
    matter.say(
        "progress.arrest_executed",
        MPS,
        "spp",
        replies=arrest,
        executed_on=executed.isoformat(),
        **matter.people(),
    )
    matter.memory["executed_on"] = executed
    if matter.dice.random() < 0.5:
        _longer_custody(matter, executed)
        matter.later(10, 25)
    else:
        matter.later(30, 50)


def _longer_custody(matter: Matter, executed: date) -> None:
    matter.later(40, 48)
    asked = matter.say(
        "progress.custody_extension_requested",
        MPS,
        "spp",
        level="next_higher",
        reasons="案情复杂",
        **matter.people(),
    )
    matter.later(3, 5)
    matter.say(
        "progress.custody_extended",
        SPP,
        "mps",
        replies=asked,
        months=1,
        approved_by="上海市人民检察院",
        level="next_higher",
        until=months_after(executed, 3).isoformat(),
        **matter.people(),
    )


def months_after(start: date, months: int) -> date:
    """The last day of a term of months (SPC interpretation, article 202): the same day, else the last one."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = _last_of(year, month + 1)
    at_end = start == _last_of(start.year, start.month)
    return last if at_end or start.day > last.day else last.replace(day=start.day)


def _last_of(year: int, month: int) -> date:
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return first_of_next - timedelta(days=1)


def _at_large(matter: Matter) -> None:
    matter.later(5, 20)
    asked = matter.say("progress.arrest_requested", MPS, "spp", in_custody=False, **matter.people())
    matter.signs(asked, SPP)
    matter.later(5, 12)
    refusal = matter.say(
        "progress.arrest_refused", SPP, "mps", replies=asked, reasons="无社会危险性", **matter.people()
    )
    matter.signs(refusal, MPS)
    matter.later(1, 2)
    matter.say("progress.released", MPS, "spp", replies=refusal, **matter.people())
    matter.later(30, 60)


def transferred(matter: Matter) -> None:
    """Transferred for prosecution; returned for more investigation at most twice, each within a month."""
    matter.later(1, 5)
    last = matter.say("progress.transferred_for_prosecution", MPS, "spp", **matter.about())
    for times in range(1, matter.dice.choice((0, 0, 1, 2)) + 1):
        last = returned(matter, last, times)
    matter.memory["transferred"] = last


def returned(matter: Matter, last: str, times: int) -> str:
    """Returned for supplementary investigation, and resubmitted within a month."""
    matter.later(10, 25)
    back = matter.say(
        "progress.returned_for_supplement", SPP, "mps", replies=last, times=times, matters=["资金"]
    )
    matter.signs(back, MPS)
    matter.later(8, 25)
    return matter.say("progress.resubmitted", MPS, "spp", replies=back, times=times, **matter.about())


def prosecuted(matter: Matter, refs: list[str] | None = None) -> str:
    """An indictment of these suspects, within a month."""
    matter.later(10, 25)
    label = matter.say(
        "outcome.prosecuted",
        SPP,
        "court",
        cc=("mps", "csrc"),
        replies=matter.memory["transferred"],
        **matter.about(refs),
    )
    matter.memory["indictment"], matter.memory["indicted"] = label, refs or matter.refs
    return label


def judged(matter: Matter) -> None:
    """Judged within two months, perhaps again upon an appeal; effective and carried out."""
    matter.later(20, 50)
    refs = matter.memory["indicted"]
    fined = matter.memory.get("fined")
    results = [{**charge, "result": "convicted"} for charge in matter.charged(refs)]
    sentences = [{"suspect": ref, "months": 36, "fine": "900000.00", "offset": fined} for ref in refs]
    facts: dict[str, Any] = {"suspects": matter.suspects(refs), "results": results, "sentences": sentences}
    last = matter.say(
        "outcome.judgment",
        COURT,
        "spp",
        cc=("mps", "csrc"),
        replies=matter.memory["indictment"],
        instance="first",
        **facts,
    )
    if matter.dice.random() < 0.4:
        matter.later(3, 8)
        appeal = matter.say("outcome.appealed", COURT, "spp", replies=last, suspects=matter.suspects(refs))
        matter.later(20, 50)
        last = matter.say(
            "outcome.judgment",
            "court/shanghai-high",
            "spp",
            cc=("mps", "csrc"),
            label="second",
            replies=appeal,
            instance="second",
            **facts,
        )
        matter.later(0, 2)
    else:
        matter.later(11, 14)
    effective = matter.say("outcome.effective", COURT, "spp", replies=last, suspects=matter.suspects(refs))
    matter.later(10, 30)
    executions = [{"suspect": ref, "kind": "fine", "amount": "900000.00", "complete": True} for ref in refs]
    matter.say("outcome.executed", COURT, "spp", replies=effective, executions=executions)
    matter.memory["judged_at"] = matter.now
