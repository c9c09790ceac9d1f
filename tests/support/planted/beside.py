"""What goes on beside a case: assets, laundering, recommendations, programmes, suits, experts, questions."""

from datetime import timedelta
from typing import Any

from .matter import Matter
from .road import COURT, CSRC, MPS, SPP

SECTION_4 = ("178", "179", "180", "181", "182", "185-1")
"""Articles of section 4 of the chapter: laundering their gains is article 191, of other crimes 312."""
MEMBERS = ("csrc", "mps", "spp")


def assets(matter: Matter) -> None:
    """Frozen, prolonged, handed on, sold and returned or confiscated; a statement that adds up."""
    worth = matter.dice.randint(200, 900) * 1000
    part = worth // 4
    items = [_item("A1", worth), _item("A2", 40_000)]
    matter.later(3, 10)
    matter.say("asset.frozen", MPS, "spp", suspects=matter.suspects(), items=items)
    matter.later(20, 40)
    matter.say("asset.renewed", MPS, "spp", terms=[{"item": "A1", "expires_on": "2026-12-31"}])
    matter.later(10, 20)
    matter.say("asset.released", MPS, "spp", moves=[_move("A1", part)], reasons="与案件无关")
    matter.later(5, 10)
    matter.say(
        "asset.transferred",
        MPS,
        "spp",
        moves=[{"item": "A1"}, {"item": "A2"}],
        receiver="spp",
        elsewhere=False,
    )
    matter.later(5, 10)
    matter.say(
        "asset.balance_statement", SPP, "mps", balances=[_line("A1", worth, held=worth - part, released=part)]
    )
    matter.later(30, 60)
    matter.say("asset.returned_to_victims", SPP, "mps", moves=[{"item": "A2"}], victims=12)
    matter.later(10, 20)
    lines = [
        _line("A1", worth, held=worth - part, released=part),
        _line("A2", 40_000, returned=40_000),
        _line(None, worth + 40_000, held=worth - part, released=part, returned=40_000),
    ]
    matter.say("asset.balance_statement", SPP, "mps", label="last statement", balances=lines)


def _item(number: str, worth: int) -> dict[str, object]:
    return {"item": number, "kind": "deposit", "worth": _worth(worth)}


def _move(number: str, worth: int) -> dict[str, object]:
    return {"item": number, "worth": _worth(worth)}


def _worth(value: int) -> dict[str, str]:
    return {"basis": "stated", "value": f"{value}.00", "currency": "CNY"}


def _line(number: str | None, taken: int, **more: int) -> dict[str, object]:
    columns = ("held", "released", "transferred", "returned", "sold", "confiscated")
    figures = {column: f"{more.get(column, 0)}.00" for column in columns}
    return {"item": number, "basis": "stated", "currency": "CNY", "taken": f"{taken}.00", **figures}


def laundering(matter: Matter) -> None:
    """Each predicate charge looked into, a clue under the article that fits, decided within seven days."""
    checks = [
        {
            "offender": ref,
            "predicate": article,
            "suspect": None,
            "gains": "others",
            "article": "191" if article.partition("(")[0] in SECTION_4 else "312",
        }
        for ref, article in matter.charges[:2]
    ]
    people = matter.suspects()
    matter.later(5, 20)
    opened = matter.say(
        "aml.check_opened", MPS, "spp", suspects=people, checks=[{**c, "article": None} for c in checks]
    )
    if matter.dice.random() < 0.4:
        matter.later(20, 40)
        matter.say("aml.no_clue_found", MPS, "spp", replies=opened, suspects=people, reasons="未发现")
        return
    asked = matter.say("aml.fund_trace_requested", MPS, "spp", asked="反洗钱中心", accounts=4)
    matter.later(10, 30)
    matter.say("aml.fund_trace_answered", MPS, "spp", replies=asked, accounts=4)
    matter.later(1, 3)
    clue = matter.say("aml.clue_raised", SPP, "mps", suspects=people, checks=checks)
    matter.signs(clue, MPS)
    matter.later(2, 5)
    matter.say("aml.filed", MPS, "spp", replies=clue, suspects=people, checks=checks)


def recommendation(matter: Matter) -> None:
    """A recommendation to the regulator or a company, answered in two months, adopted and verified."""
    to_company = matter.dice.random() < 0.5
    kind = (
        {"addressee_kind": "company", "addressee": "某证券公司"}
        if to_company
        else {"addressee_kind": "agency"}
    )
    matter.later(5, 20)
    items = [{"no": "1", "problem": "内控不严"}]
    issued = matter.say(
        "recommendation.issued",
        SPP,
        "" if to_company else "csrc",
        kind="social_governance",
        items=items,
        **kind,
    )
    speaker = SPP if to_company else CSRC
    if not to_company:
        matter.signs(issued, CSRC)
    matter.later(20, 50)
    answers = [{"no": "1", "result": "done"}]
    replied = matter.say(
        "recommendation.replied", speaker, "" if to_company else "spp", replies=issued, answers=answers
    )
    matter.say(
        "recommendation.adopted", speaker, "" if to_company else "spp", replies=replied, answers=answers
    )
    matter.later(20, 60)
    matter.say(
        "recommendation.verified", SPP, "csrc", replies=replied, answers=answers, verified_on=matter.today
    )


def compliance(matter: Matter) -> None:
    """A programme of the company: agreed to, planned, inspected, evaluated before its end, heard."""
    matter.later(5, 15)
    proposed = matter.say("compliance.proposed", SPP, "csrc", months=6)
    matter.later(2, 6)
    matter.say("compliance.consented", SPP, "csrc", replies=proposed, consents=True)
    matter.later(5, 15)
    ends = (matter.now + timedelta(days=150)).date().isoformat()
    plan = matter.say(
        "compliance.plan_filed", SPP, "csrc", replies=proposed, begins_on=matter.today, ends_on=ends
    )
    matter.later(60, 80)
    inspected = matter.say("compliance.inspected", SPP, "csrc", replies=plan, inspected_on=matter.today)
    matter.later(30, 50)
    evaluated = matter.say("compliance.evaluated", SPP, "csrc", replies=inspected, score=90, passed=True)
    matter.later(3, 10)
    heard = matter.say("compliance.heard", SPP, "csrc", replies=evaluated, heard_on=matter.today)
    matter.later(3, 10)
    matter.say("compliance.outcome", SPP, "csrc", replies=heard, effect="lighter_sentence")


def suit(matter: Matter) -> None:
    """The special representative's suit: mandated, holders confirmed, judged, paid out before the state."""
    numbers: dict[str, Any] = {"court_nos": [f"(2025)沪74民初{matter.number}号"]}
    matter.later(5, 20)
    mandated = matter.say(
        "suit.mandated", COURT, "spp csrc", mandates=56, security=matter.security, **numbers
    )
    matter.later(5, 20)
    confirmed = matter.say(
        "suit.holders_confirmed", COURT, "spp csrc", replies=mandated, investors=4120, **numbers
    )
    matter.later(10, 30)
    matter.say("suit.opted_out", COURT, "spp csrc", replies=confirmed, investors=3, **numbers)
    matter.later(40, 80)
    judged = matter.say(
        "suit.judged", COURT, "spp csrc", instance="first", investors=4117, paid_first=True, **numbers
    )
    matter.later(20, 50)
    matter.say(
        "suit.distributed", COURT, "spp csrc", replies=judged, investors=4117, paid_first=True, **numbers
    )


def consultation(matter: Matter) -> None:
    """A question to another agency, answered in seven days (DL16); minutes that both sign."""
    asker, asked = matter.dice.sample(MEMBERS, 2)
    matter.later(2, 15)
    question = matter.say("consultation.requested", asker, asked, question="行为性质如何认定")
    matter.later(0, 1)
    accepted = matter.say("consultation.accepted", asked, asker, replies=question)
    matter.say("consultation.material_supplied", asker, asked, replies=accepted)
    matter.later(1, 4)
    answer = matter.say("consultation.answered", asked, asker, replies=question, opinion="构成犯罪")
    matter.later(1, 5)
    matter.say(
        "consultation.minutes_signed", asked, asker, replies=question, agreed="一致", held_on=matter.today
    )
    matter.later(1, 5)
    matter.say("consultation.closed", asker, asked, replies=answer, outcome="采纳", adopted=True)


def expertise(matter: Matter) -> None:
    """An expert opinion asked for, and given by the day that was named."""
    matter.later(2, 15)
    by = (matter.now + timedelta(days=40)).date().isoformat()
    asked = matter.say("cooperation.expert_requested", MPS, "csrc", skill="交易分析", expected_by=by)
    matter.later(2, 6)
    matter.say(
        "cooperation.expert_assigned", CSRC, "mps", replies=asked, expert="某分析师", conflict_checked=True
    )
    matter.later(10, 30)
    matter.say("cooperation.expert_reported", CSRC, "mps", replies=asked, opinion="构成关联交易")


def training(matter: Matter) -> None:
    """A joint training, and officers who change places for a time."""
    matter.later(2, 15)
    announced = matter.say(
        "cooperation.training_announced", SPP, "csrc mps", title="证券犯罪办案培训", seats=60
    )
    for agency in (CSRC, MPS):
        matter.later(1, 5)
        matter.say("cooperation.training_enrolled", agency, "spp", replies=announced, persons=20)
    matter.later(20, 40)
    matter.say(
        "cooperation.training_held", SPP, "csrc mps", replies=announced, persons=40, held_on=matter.today
    )
    matter.later(2, 15)
    asked = matter.say("cooperation.exchange_requested", SPP, "csrc", posts=["行政检察"], persons=2)
    matter.later(10, 20)
    begun = matter.say(
        "cooperation.exchange_started", CSRC, "spp", replies=asked, post="行政检察", conflict_checked=True
    )
    matter.later(90, 180)
    matter.say("cooperation.exchange_ended", CSRC, "spp", replies=begun, ended_on=matter.today)
