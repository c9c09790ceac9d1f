"""Faults in what papers say: figures, persons, charges, securities, lists, assets, fines."""

from collections.abc import Mapping
from typing import Any

from .beside import SECTION_4
from .faults import TO_COURT, fault
from .matter import Matter, Paper
from .road import CSRC, MPS, SPP
from .side_roads import SOURCE


def _all(matter: Matter, *types: str) -> list[Paper]:
    return [paper for paper in matter.papers if paper.type in types]


# --- R30 to R36: the accounts of two agencies ---------------------------------------------------------


@fault("R30", *TO_COURT)
def a_slip_of_unit(matter: Matter) -> bool:
    """The indictment gives ten thousand yuan where everybody else gives yuan."""
    return _figure(matter, lambda value: value / 10_000)


@fault("R30", *TO_COURT)
def another_figure(matter: Matter) -> bool:
    """The indictment gives a larger figure."""
    return _figure(matter, lambda value: value + 1_234)


def _figure(matter: Matter, change: Any) -> bool:
    (indictment,) = _all(matter, "outcome.prosecuted")
    figures = [dict(amount) for amount in indictment.data["amounts"]]
    figures[0]["value"] = f"{change(float(figures[0]['value'])):.2f}"
    indictment.data = {**indictment.data, "amounts": figures}
    return True


_STRANGER: Mapping[str, Any] = {"ref": "S9", "kind": "natural", "name": "司马某无人"}


@fault("R31", *TO_COURT)
def one_more_filed(matter: Matter) -> bool:
    """The police file against somebody whom nobody else names."""
    return _one_more(matter, "referral.filed")


@fault("R31", *TO_COURT)
def one_more_referred(matter: Matter) -> bool:
    """The referral names somebody who is lost afterwards."""
    return _one_more(matter, "referral.submitted")


def _one_more(matter: Matter, type: str) -> bool:
    (paper,) = _all(matter, type)
    paper.data = {**paper.data, "suspects": [*paper.data["suspects"], dict(_STRANGER)]}
    return True


@fault("R32", *TO_COURT)
def another_charge(matter: Matter) -> bool:
    """Referred under article 181(1), filed and prosecuted under others."""
    (referral,) = _all(matter, "referral.submitted")
    charges = [{"suspect": ref, "article": "181(1)"} for ref in matter.refs]
    referral.data = {**referral.data, "charges": charges}
    return True


@fault("R33", "prosecution")
def the_wrong_article(matter: Matter) -> bool:
    """A clue of laundering under the article that does not fit its predicate."""
    clue = matter.first("aml.clue_raised")
    if clue is None:
        return False
    flipped = {"191": "312", "312": "191"}
    checks = [{**check, "article": flipped[check["article"]]} for check in clue.data["checks"]]
    clue.data = {**clue.data, "checks": checks}
    return True


@fault("R33", "prosecution")
def own_gains_of_section_3(matter: Matter) -> bool:
    """Who launders his own gains of a crime outside section 4 commits no further crime."""
    clue = matter.first("aml.clue_raised")
    if clue is None:
        return False
    checks = [dict(check) for check in clue.data["checks"]]
    outside = [check for check in checks if check["predicate"].partition("(")[0] not in SECTION_4]
    for check in outside:
        check["gains"] = "self"
    clue.data = {**clue.data, "checks": checks}
    return bool(outside)


def _small(matter: Matter) -> None:
    matter.amounts = [(basis, f"{1_000 + matter.number}.00") for basis, _ in matter.amounts]


@fault("R34", *TO_COURT, facts=_small)
def below_the_standard(matter: Matter) -> bool:
    """Everybody gives a figure far below the filing standard."""
    return bool(matter.amounts)


@fault("R35", *TO_COURT)
def another_code(matter: Matter) -> bool:
    """The indictment names another security."""
    (indictment,) = _all(matter, "outcome.prosecuted")
    security = {"market": "SSE", "code": f"{605000 + matter.number % 1000}", "name": None}
    indictment.data = {**indictment.data, "security": security}
    return True


@fault("R35", *TO_COURT)
def an_impossible_code(matter: Matter) -> bool:
    """The Beijing exchange has no code that begins with 1; and it is another security."""
    (indictment,) = _all(matter, "outcome.prosecuted")
    indictment.data = {**indictment.data, "security": {"market": "BSE", "code": "123456", "name": None}}
    return True


@fault("R36", *TO_COURT)
def a_document_missing(matter: Matter) -> bool:
    """A document that the referral lists is not handed over."""
    return _handed(matter, lambda items: items[1:])


@fault("R36", *TO_COURT)
def a_document_exchanged(matter: Matter) -> bool:
    """A document is handed over under its title with another content."""
    return _handed(matter, lambda items: [{**items[0], "sha256": "ab" * 32}, *items[1:]])


@fault("R36", *TO_COURT)
def a_document_unlisted(matter: Matter) -> bool:
    """A document is handed over that no annex lists."""
    more = {"no": "9", "title": "另一份材料", "sha256": "cd" * 32}
    return _handed(matter, lambda items: [*items, more])


def _handed(matter: Matter, change: Any) -> bool:
    (handed,) = _all(matter, "referral.handed_over")
    handed.data = {**handed.data, "items": change(handed.data["items"])}
    return True


# --- R37, R38: assets and fines -----------------------------------------------------------------------


@fault("R37", "prosecution")
def a_line_that_does_not_add_up(matter: Matter) -> bool:
    """The last statement holds a thousand less of A1 than was taken and has not left."""
    return _last_statement(matter, lambda line: {**line, "held": f"{float(line['held']) - 1000:.2f}"})


@fault("R37", "prosecution")
def more_returned_than_taken(matter: Matter) -> bool:
    """More of A2 is returned than was frozen."""
    returned = matter.first("asset.returned_to_victims")
    if returned is None:
        return False
    worth = {"basis": "stated", "value": "50000.00", "currency": "CNY"}
    returned.data = {**returned.data, "moves": [{"item": "A2", "worth": worth}]}
    return True


@fault("R37", "prosecution")
def something_never_taken(matter: Matter) -> bool:
    """An item is released that nobody took."""
    released = matter.first("asset.released")
    if released is None:
        return False
    released.data = {**released.data, "moves": [*released.data["moves"], {"item": "A7"}]}
    return True


def _last_statement(matter: Matter, change: Any) -> bool:
    statements = _all(matter, "asset.balance_statement")
    if not statements:
        return False
    first, *lines = statements[-1].data["balances"]
    statements[-1].data = {**statements[-1].data, "balances": [change(first), *lines]}
    return True


@fault("R38", "fined_first")
def no_offset(matter: Matter) -> bool:
    """The judgment says nothing of the fine that was paid."""
    return _sentences(matter, offset=None)


@fault("R38", "fined_first")
def offset_in_part(matter: Matter) -> bool:
    """Only a part of the fine is offset."""
    return _sentences(matter, offset="100000.00")


def _sentences(matter: Matter, **change: Any) -> bool:
    for judgment in _all(matter, "outcome.judgment"):
        sentences = [{**sentence, **change} for sentence in judgment.data["sentences"]]
        judgment.data = {**judgment.data, "sentences": sentences}
    return True


@fault("R38", "prosecution", "fined_first")
def investors_last(matter: Matter) -> bool:
    """The court says that investors come behind fine and confiscation."""
    said = _all(matter, "suit.judged", "suit.distributed")
    for paper in said:
        paper.data = {**paper.data, "paid_first": False}
    return bool(said)


# --- R39 to R48: charges, turns, ways -----------------------------------------------------------------


@fault("R39", *TO_COURT)
def a_charge_forgotten(matter: Matter) -> bool:
    """A charge of the indictment has no result in any judgment."""
    return _results(matter, lambda results: results[1:])


@fault("R39", *TO_COURT)
def a_result_too_many(matter: Matter) -> bool:
    """A judgment decides what nobody charged."""
    more = {"suspect": "S1", "article": "393", "result": "convicted"}
    return _results(matter, lambda results: [*results, more])


def _results(matter: Matter, change: Any) -> bool:
    judgments = _all(matter, "outcome.judgment")
    if len(judgments[0].data["results"]) < 2:
        return False
    for judgment in judgments:
        judgment.data = {**judgment.data, "results": change(judgment.data["results"])}
    return True


@fault("R43", "merged_in")
def lost_in_the_merger(matter: Matter) -> bool:
    """Whom the merged case was about is listed nowhere in the case that goes on."""
    stranger = {"ref": "S1", "kind": "natural", "name": f"宇文某{matter.number}"}
    for label in ("other referral", "other filing"):
        paper = matter.paper(label)
        paper.data = {**paper.data, "suspects": [stranger]}
    matter.memory["shows_in"] = matter.number + SOURCE
    return True


@fault("R44", "split_up")
def lost_in_the_split(matter: Matter) -> bool:
    """One of the suspects goes with none of the parts."""
    (split,) = _all(matter, "referral.split")
    parts = [{**part, "suspects": part["suspects"][:1]} for part in split.data["parts"]]
    split.data = {**split.data, "parts": parts}
    part = max(_all(matter, "referral.filed"), key=lambda paper: paper.at)
    part.data = {**part.data, **matter.people(["S2"])}
    return len(matter.names) > 2


@fault("R44", "split_up")
def less_than_the_whole(matter: Matter) -> bool:
    """The figures of the parts are together less than those of the whole."""
    part = max(_all(matter, "referral.filed"), key=lambda paper: paper.at)
    part.data = {**part.data, "amounts": [{**one, "value": "1.00"} for one in part.data["amounts"]]}
    return True


@fault("R46", "administrative")
def a_penalty_instead(matter: Matter) -> bool:
    """A penalty for a loss above every standard, and no referral."""
    penalty = matter.first("administrative.penalty_decided")
    assert penalty is not None
    window = {"from": "2023-02-01", "to": "2024-03-29"}
    loss = {"basis": "loss", "value": "230000000.00", "currency": "CNY", "period": window}
    penalty.data = {**penalty.data, "amounts": [loss]}
    return True


@fault("R42", "fined_first", "supervised", also=["R31"])
def two_matters_under_one_number(matter: Matter) -> bool:
    """Under the same number another referral of other people, whom nobody else then lists."""
    filed = matter.paper(matter.memory["filed"])
    with matter.beside(filed.at):
        matter.later(4)
        other = [{"ref": "S1", "kind": "natural", "name": f"欧阳某{matter.number}"}]
        again = matter.say("referral.submitted", CSRC, "mps", label="other matter", suspects=other)
        matter.say("referral.returned_not_competent", MPS, "csrc", replies=again, reasons="不属管辖")
    return True


@fault("R48", "one_cleared", "all_cleared")
def closed_without_a_reason(matter: Matter) -> bool:
    """Closed, and nobody has said which penalty there was or why there was none."""
    matter.drop("reverse.admin_opened", "reverse.penalty_decided", "reverse.no_penalty")
    for type in ("reverse.replied", "reverse.closed"):
        paper = matter.first(type)
        assert paper is not None
        paper.data = {**paper.data, "reasons": None, "result": "other"}
    return True


@fault("R47", "fined_first")
def committed_beside_a_crime(matter: Matter) -> bool:
    """The regulator accepts a commitment in a case that the police have filed."""
    filed = matter.paper(matter.memory["filed"])
    with matter.beside(filed.at):
        matter.later(4, 9)
        matter.say(
            "administrative.commitment_accepted",
            CSRC,
            "spp",
            commitment_no="承诺",
            suspects=matter.suspects(),
        )
    return True


@fault("R41", "supervised")
def supervised_after_filing(matter: Matter) -> bool:
    """The procuratorate still asks why the police have not filed; they answer, and it is content."""
    filed = matter.paper(matter.memory["filed"])
    with matter.beside(filed.at):
        matter.later(3, 5)
        asked = matter.say(
            *("supervision.reasons_requested", SPP, "mps"),
            label="asks again",
            about_filing=False,
            question="为何不立案",
        )
        matter.later(1, 3)
        answer = matter.say(
            *("supervision.reasons_answered", MPS, "spp"),
            label="answers again",
            replies=asked,
            reasons="已立案",
        )
        matter.later(1, 3)
        matter.say("supervision.reasons_accepted", SPP, "mps", replies=answer, reasons="已立案")
    return True
