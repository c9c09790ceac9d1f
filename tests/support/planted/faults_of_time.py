"""Faults of time: late or missing answers, terms used beyond their limit, wrong last days."""

import re
from datetime import date, datetime, timedelta

from .faults import TO_COURT, fault
from .lives import FEWEST
from .matter import Matter, Paper
from .road import MPS, months_after, returned

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")


def _shift(matter: Matter, type: str, days: int) -> bool:
    """Moves the first paper of a type, and all that stands behind it, by days."""
    first = matter.first(type)
    if first is None:
        return False
    since = first.at
    for paper in matter.papers:
        if paper.at >= since:
            _move(paper, days)
    _custody_said_anew(matter)
    return True


def _move(paper: Paper, days: int) -> None:
    """Moves a paper by days, with the days and times that it states."""
    paper.at += timedelta(days=days)
    for name, value in paper.data.items():
        if isinstance(value, str) and _DAY.match(value):
            paper.data[name] = (date.fromisoformat(value) + timedelta(days=days)).isoformat()
        elif isinstance(value, str) and _TIME.match(value):
            paper.data[name] = (datetime.fromisoformat(value) + timedelta(days=days)).isoformat()


def _custody_said_anew(matter: Matter) -> None:
    """Three months from another day end on another day of a month."""
    executed, extended = matter.first("progress.arrest_executed"), matter.first("progress.custody_extended")
    if executed is not None and extended is not None:
        start = date.fromisoformat(executed.data["executed_on"])
        extended.data["until"] = months_after(start, 3).isoformat()


def _shift_family(matter: Matter, family: str, days: int) -> None:
    for paper in matter.papers:
        if paper.type.startswith(family):
            _move(paper, days)


# --- R02, R10, R11 ------------------------------------------------------------------------------------


@fault("R02", "no_crime")
def nobody_signs(matter: Matter) -> bool:
    """A referral that nobody receipts or answers."""
    matter.drop("referral.receipted", "referral.not_filed", "reverse.police_transferred")
    while len(matter.papers) < FEWEST:
        matter.later(10)
        matter.say("clue.submitted", "csrc", "spp", source="other", conduct="补充线索")
    return True


@fault("R10", "supervised")
def handed_over_late(matter: Matter) -> bool:
    """Files handed over two weeks late (DL10), of a filing for which an officer had signed."""
    filed = matter.memory["filed"]
    if not any(paper.seen == filed for paper in matter.papers):
        return False
    return _shift(matter, "referral.handed_over", 16)


@fault("R10", "supervised")
def reasons_late(matter: Matter) -> bool:
    """The police give their reasons after more than seven days (DL11)."""
    return _shift(matter, "supervision.reasons_answered", 17)


@fault("R10", "supervised")
def filed_late(matter: Matter) -> bool:
    """Filed after more than fifteen days of the order (DL12)."""
    return _shift(matter, "referral.filed", 25)


@fault("R10", "administrative", "all_cleared")
def a_question_unanswered(matter: Matter) -> bool:
    """A consultation that nobody answers (DL16)."""
    question = matter.first("consultation.requested")
    if question is None:
        return False
    answers = {
        p.label for p in matter.papers if p.type == "consultation.answered" and p.replies == question.label
    }
    matter.papers = [p for p in matter.papers if p.label not in answers and p.replies not in answers]
    return True


@fault("R10", "prosecution", "supervised")
def arrested_late(matter: Matter) -> bool:
    """A receipt of an arrest that comes two weeks late (DL19)."""
    executed = matter.first("progress.arrest_executed")
    if executed is None or matter.first("progress.custody_extended") is not None:
        return False
    executed.at += timedelta(days=14)
    return True


@fault("R11", "supervised", also=["R10"])
def no_approval(matter: Matter) -> bool:
    """No decision on filing until day 23 or so, and no approval of a longer time (DL06)."""
    return _shift(matter, "referral.not_filed", 22)


@fault("R11", "supervised", also=["R10"])
def an_approval_too_low(matter: Matter) -> bool:
    """The county's approval gives thirty days; the decision comes after forty-five."""
    referral = matter.memory["referral"]
    decision = matter.first("referral.not_filed")
    assert decision is not None
    with matter.beside(decision.at):
        approved = matter.now.isoformat()
        matter.say(
            "referral.extension_approved", MPS, "csrc", replies=referral, level="county", approved_at=approved
        )
    return _shift(matter, "referral.not_filed", 45) and _back(matter, "referral.extension_approved", 45)


def _back(matter: Matter, type: str, days: int) -> bool:
    paper = matter.first(type)
    assert paper is not None
    _move(paper, -days)
    return True


# --- R12 to R15, R50 ----------------------------------------------------------------------------------


@fault("R12", *TO_COURT)
def returned_three_times(matter: Matter) -> bool:
    """A third return; the case is otherwise handled within its terms."""
    indictment = matter.first("outcome.prosecuted")
    assert indictment is not None
    behind = [paper for paper in matter.papers if paper.at >= indictment.at]
    done = sum(paper.type == "progress.returned_for_supplement" for paper in matter.papers)
    last = matter.memory["transferred"]
    with matter.beside(matter.paper(last).at):
        for times in range(done + 1, 4):
            last = returned(matter, last, times)
    days = (matter.paper(last).at - indictment.at).days + 20
    for paper in behind:
        _move(paper, days)
    indictment.replies = last
    return True


@fault("R13", *TO_COURT)
def a_day_too_many(matter: Matter) -> bool:
    """Custody is said to last a day longer than three months from the arrest."""
    extended = matter.first("progress.custody_extended")
    if extended is None:
        return False
    until = date.fromisoformat(extended.data["until"]) + timedelta(days=1)
    extended.data = {**extended.data, "until": until.isoformat()}
    return True


@fault("R14", "one_cleared", "all_cleared")
def passed_on_late(matter: Matter) -> bool:
    """The case reaches the administrative desk after two weeks and more, three working days are allowed."""
    _shift_family(matter, "reverse.", 16)
    return True


@fault("R14", "one_cleared", "all_cleared")
def never_passed_on(matter: Matter) -> bool:
    """Nobody looks whether a penalty is due."""
    matter.drop("reverse.sent_to_admin_desk")
    return True


@fault("R15", "one_cleared", "all_cleared")
def an_opinion_without_reply(matter: Matter) -> bool:
    """The regulator signs for the opinion and is silent."""
    matter.drop("reverse.admin_opened", "reverse.penalty_decided", "reverse.no_penalty", "reverse.replied")
    return True


@fault("R50", "working_together", watched=300)
def a_recommendation_never_verified(matter: Matter) -> bool:
    """A reply to a recommendation into which nobody looks."""
    matter.drop("recommendation.verified")
    return True


@fault("R50", "settled", "all_cleared", watched=300)
def a_programme_never_evaluated(matter: Matter) -> bool:
    """A compliance plan whose programme ends without evaluation."""
    matter.drop("compliance.evaluated")
    return True


@fault("R49", "prosecution", "fined_first", watched=400)
def asleep(matter: Matter) -> bool:
    """Filed and handed over, and then nothing for more than a year."""
    handed = matter.first("referral.handed_over")
    assert handed is not None
    matter.papers = [paper for paper in matter.papers if paper.at <= handed.at]
    with matter.beside(handed.at):
        while len(matter.papers) < FEWEST:
            matter.say("progress.supervised", MPS, "spp", demands=["加快"])
    return True
