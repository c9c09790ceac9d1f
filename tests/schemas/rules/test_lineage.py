"""A case goes to another organ, to another procuratorate or back for a penalty: nobody is lost in silence."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.reconcile import reconcile
from support.cases.chains import amount, at, charges, say, suspects

BOTH, ONE = suspects("甲", "乙"), suspects("甲")
OF_BOTH, OF_ONE = charges(("S1", "182"), ("S2", "182")), charges(("S1", "182"))
WHOLE: dict[str, Any] = {"suspects": BOTH, "charges": OF_BOTH, "amounts": [amount("illegal_gain", "9000000")]}


def _found(events: Sequence[ChainEvent], now: str = "2025-06-20") -> list[tuple[str, str]]:
    return [(finding.rule, finding.because.zh) for finding in reconcile(events).findings(at(now))]


def _forwarded(**filed: Any) -> list[ChainEvent]:
    """A referral to the wrong organ, forwarded by it, filed by the right one."""

    def received(name: str, hour: str, *, competent: bool) -> ChainEvent:
        return say(
            *(name, "referral.receipted", f"2025-06-10T{hour}:00"),
            agency="mps",
            to=("csrc",),
            replies="s",
            received_at=at(f"2025-06-10T{hour}:00"),
            competent=competent,
            complete=True,
        )

    return [
        say("s", "referral.submitted", "2025-06-10T09:00", to=("mps",), **WHOLE),
        received("r", "10", competent=False),
        say("w", "referral.forwarded", "2025-06-10T11:00", agency="mps", to=("csrc",), replies="s"),
        received("g", "16", competent=True),
        say(
            "f", "referral.filed", "2025-06-12T10:00", agency="mps", to=("csrc", "spp"), replies="s", **filed
        ),
    ]


def _elsewhere(**prosecuted: Any) -> list[ChainEvent]:
    """Transferred to a procuratorate, which another one replaces, and prosecuted by that."""
    return [
        say(
            "t",
            "progress.transferred_for_prosecution",
            "2025-06-02T10:00",
            agency="mps",
            to=("spp",),
            **WHOLE,
        ),
        say("j", "progress.jurisdiction_changed", "2025-06-04T10:00", agency="spp", to=("mps",), replies="t"),
        say(
            *("p", "outcome.prosecuted", "2025-06-18T10:00"),
            agency="spp",
            to=("court", "mps"),
            replies="t",
            **prosecuted,
        ),
    ]


@pytest.mark.parametrize("went", [_forwarded, _elsewhere])
def test_who_goes_on_states_all_of_it_or_is_asked(went: Any) -> None:
    """A suspect (R31) and a part of the amount (R30) that the new organ leaves out are found; else none."""
    beside = {"R10", "R02", "R15"}
    assert [rule for rule, _ in _found(went(**WHOLE)) if rule not in beside] == []
    lost = _found(went(suspects=ONE, charges=OF_ONE, amounts=WHOLE["amounts"]))
    assert [(rule, "乙" in words) for rule, words in lost if rule not in beside] == [("R31", True)]
    less = {**WHOLE, "amounts": [amount("illegal_gain", "8000000")]}
    assert [rule for rule, _ in _found(went(**less)) if rule not in beside] == ["R30"]


def _cleared(at_desk: Any, in_opinion: Any, in_reply: Any) -> list[ChainEvent]:
    """Two are not prosecuted: to the administrative desk, an opinion to the regulator, its reply."""
    spp: dict[str, Any] = {"agency": "spp", "to": ("mps", "csrc")}
    desk: dict[str, Any] = {"agency": "spp", "to": ("spp/desk",)}
    opinion = say("o", "reverse.opinion_issued", "2025-06-06T10:00", replies="d", suspects=in_opinion, **spp)
    return [
        say("n", "outcome.not_prosecuted", "2025-06-02T10:00", kind="discretionary", **spp, **WHOLE),
        say("d", "reverse.sent_to_admin_desk", "2025-06-03T10:00", replies="n", suspects=at_desk, **desk),
        replace(opinion, source="/spp/desk"),
        say("y", "reverse.replied", "2025-06-16T10:00", to=("spp",), replies="o", suspects=in_reply),
    ]


@pytest.mark.parametrize(
    ("went", "rule"),
    [
        ((BOTH, BOTH, BOTH), None),
        ((ONE, ONE, ONE), "R14"),
        ((BOTH, ONE, ONE), "R10"),
        ((BOTH, BOTH, ONE), "R15"),
    ],
)
def test_on_the_way_to_a_penalty_nobody_is_lost(went: tuple[Any, Any, Any], rule: str | None) -> None:
    """Who is left behind at the desk, in the opinion or in the reply is missed when its term has ended."""
    found = [one for one, _ in _found(_cleared(*went), "2025-09-10") if one in ("R10", "R14", "R15")]
    assert found == ([] if rule is None else [rule])
