"""Faults of order: repeats, ids, streams, impossible times, answers out of place, rights that nobody has."""

from dataclasses import replace
from datetime import timedelta

from .beside import MEMBERS
from .faults import TO_COURT, fault
from .matter import Matter, Paper
from .road import COURT, CSRC, MPS, SPP

MARK = "规则在此失效"
"""In a note of a paper: the stand-in of a broken rule fails on it."""
ASTRAY = 1_000_000
"""What is added to a matter's number for the chain of an event that went astray."""


def _last_of(matter: Matter, agency: str) -> Paper:
    """The agency's last paper that nobody answers, corrects or receipts."""
    named = {label for p in matter.papers for label in (p.replies, p.bound, p.corrects, p.withdraws, p.seen)}
    free = [
        p
        for p in matter.papers
        if p.agency == agency and p.label not in named and not p.type.startswith("receipt")
    ]
    return max(free, key=lambda paper: paper.at)


# --- R03, R04, R05, R07, R09 --------------------------------------------------------------------------


@fault("R03", "administrative", "settled", "prosecution", "no_crime")
def met_again(matter: Matter) -> bool:
    """The bus meets an event a second time, byte for byte."""
    _last_of(matter, "csrc").again = True
    return True


@fault("R03", "administrative", "settled", "prosecution", "no_crime")
def said_again(matter: Matter) -> bool:
    """The same is said under another id, as an old outbox would."""
    paper = _last_of(matter, "csrc")
    matter.papers.append(replace(paper, label=f"{paper.label} anew", admitted=paper.at + timedelta(days=2)))
    return True


@fault("R04", *TO_COURT)
def one_id_twice(matter: Matter) -> bool:
    """The police use the id of an earlier event for another one."""
    used = _last_of(matter, "mps")
    with matter.beside(used.at):
        matter.later(1, 2)
        matter.say("progress.supervised", MPS, "spp", id_of=used.label, demands=["加快"])
    return True


@fault("R04", *TO_COURT)
def one_id_in_two_chains(matter: Matter) -> bool:
    """The police use the id of an event for one in another case, which is all that is known of it."""
    used = _last_of(matter, "mps")
    matter.memory["shows_in"] = matter.number + ASTRAY
    with matter.beside(used.at):
        matter.later(1, 2)
        matter.say(
            *("progress.supervised", MPS, "spp"),
            id_of=used.label,
            chain=matter.number + ASTRAY,
            demands=["加快"],
        )
    return True


@fault("R05", "administrative", "no_crime", *TO_COURT)
def an_event_lost(matter: Matter) -> bool:
    """The event before it in the regulator's stream never arrives."""
    _last_of(matter, "csrc").lost = True
    return True


@fault("R07", *TO_COURT)
def received_tomorrow(matter: Matter) -> bool:
    """The police say that they received the referral on a day that was still to come."""
    return _received(matter, 3)


@fault("R07", *TO_COURT)
def received_in_another_century(matter: Matter) -> bool:
    """The police say that they received the referral a hundred years ago."""
    return _received(matter, -40_000)


def _received(matter: Matter, days: int) -> bool:
    receipt = matter.first("referral.receipted")
    assert receipt is not None
    received = (receipt.at + timedelta(days=days)).isoformat()
    receipt.data = {**receipt.data, "received_at": received}
    return bool(receipt.data["competent"] and receipt.data["complete"])


@fault("R09", *TO_COURT)
def a_rule_that_fails(matter: Matter) -> bool:
    """A judgment on which a rule of a broken build fails."""
    judgment = matter.first("outcome.judgment")
    assert judgment is not None
    judgment.data = {**judgment.data, "note": MARK}
    return True


# --- R20 to R23 ---------------------------------------------------------------------------------------


@fault("R20", "administrative", *TO_COURT)
def an_answer_to_nothing(matter: Matter) -> bool:
    """An answer to a question that nobody asked on the bus."""
    matter.later(1, 2)
    matter.say("consultation.answered", SPP, "csrc", replies="a question that never was", opinion="不构成")
    return True


@fault("R20", *TO_COURT)
def a_correction_of_nothing(matter: Matter) -> bool:
    """A correction of an event that the bus does not hold."""
    matter.later(1, 2)
    matter.say("progress.corrected", MPS, "spp", corrects="a paper that never was", reasons="更正")
    return True


@fault("R21", *TO_COURT)
def an_answer_to_the_old_version(matter: Matter) -> bool:
    """The referral is corrected, and the police decide on what it said before."""
    decision = matter.first("referral.not_filed") or matter.first("referral.filed")
    assert decision is not None
    with matter.beside(decision.at - timedelta(hours=2)):
        matter.say(
            "referral.corrected",
            CSRC,
            "mps",
            corrects=matter.memory["referral"],
            reasons="补正",
            case_no="改",
        )
    return True


@fault("R22", "prosecution", "fined_first")
def filed_and_not_filed(matter: Matter) -> bool:
    """The police have filed, and then say that they have not."""
    with matter.beside(matter.paper(matter.memory["filed"]).at):
        matter.later(4, 6)
        matter.say("referral.not_filed", MPS, "csrc", replies=matter.memory["referral"], reasons="情节轻微")
    return True


@fault("R22", *TO_COURT)
def two_corrections(matter: Matter) -> bool:
    """Two corrections of one event stand beside each other."""
    concluded = matter.first("progress.concluded")
    assert concluded is not None
    for figure in ("1", "2"):
        matter.say("progress.corrected", MPS, "spp", corrects=concluded.label, reasons="更正", case_no=figure)
    return True


@fault("R23", "prosecution", "all_cleared")
def an_answer_by_somebody_else(matter: Matter) -> bool:
    """The third agency answers a question that was put to the second, which answers too."""
    question = matter.first("consultation.requested")
    answer = matter.first("consultation.answered")
    if question is None or answer is None:
        return False
    third = next(agency for agency in MEMBERS if agency not in (question.agency, answer.agency))
    with matter.beside(answer.at):
        matter.say(
            *("consultation.answered", third, question.agency),
            label="third",
            replies=question.label,
            opinion="另有意见",
        )
    return True


@fault("R23", "prosecution", "all_cleared", "administrative")
def an_answer_before_its_question(matter: Matter) -> bool:
    """An answer that claims to be two days older than its question."""
    question = matter.first("consultation.requested")
    answer = matter.first("consultation.answered")
    if question is None or answer is None:
        return False
    answer.admitted, answer.at = answer.at, question.at - timedelta(days=2)
    return True


# --- R40, R45 -----------------------------------------------------------------------------------------


@fault("R40", *TO_COURT)
def a_correction_of_others(matter: Matter) -> bool:
    """The regulator corrects what the police said."""
    matter.later(1, 2)
    matter.say(
        "referral.corrected", CSRC, "mps", corrects=matter.memory["filed"], reasons="更正", case_no="改"
    )
    return True


@fault("R40", "settled", "working_together")
def an_outsider_speaks(matter: Matter) -> bool:
    """A court speaks in a case of which nobody told it."""
    matter.later(1, 2)
    matter.say("suit.mandated", COURT, "", mandates=51)
    return True


@fault("R40", "prosecution", "fined_first")
def out_of_turn(matter: Matter) -> bool:
    """Reconsideration of a refusal is asked for in a case that was filed; the police answer at once."""
    with matter.beside(matter.paper(matter.memory["filed"]).at):
        matter.later(4, 6)
        asked = matter.say("referral.reconsideration_requested", CSRC, "mps", reasons="异议")
        matter.later(1)
        matter.say(
            "referral.reconsideration_decided", MPS, "csrc", replies=asked, result="other", reasons="已立案"
        )
    return True


@fault("R45", "fined_first", "prosecution")
def withdrawn_after_filing(matter: Matter) -> bool:
    """The regulator takes its referral back when the police have filed."""
    with matter.beside(matter.paper(matter.memory["filed"]).at):
        matter.later(4, 8)
        matter.say("referral.withdrawn", CSRC, "mps", withdraws=matter.memory["referral"], reasons="撤回")
    return True
