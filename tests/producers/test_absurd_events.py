"""Absurd but well-formed events: each refused, advised on or found with its reason, never a fault."""

import time
from typing import Any

import pytest

from casebus_producers.checking.check import check
from support.cases.chains import at
from support.cases.members import door_event

NOW = "2022-07-01"
MOST_S = 2.0
"""Seconds of processor time that a check may take, whatever it is given."""
ARTICLE_182 = [{"suspect": "S1", "article": "182"}]


def referral(when: str = "2022-06-20T10:00:00+08:00", **facts: Any) -> dict[str, Any]:
    """A referral of June 2022."""
    return door_event(envelope={"precision": "second", "legal_basis": []}, data=facts, time=when)


def answer(type: str, **facts: Any) -> dict[str, Any]:
    """What the police say to it a day later."""
    return door_event(
        type=type,
        source="/mps/office",
        id="0190163d-8694-739b-aea5-966c26f8ad92",
        time="2022-06-21T10:00:00+08:00",
        envelope={
            "message_class": "response",
            "in_reply_to": door_event()["id"],
            "to": ["csrc"],
            "precision": "second",
            "legal_basis": [],
        },
        data=facts,
    )


def gain(value: str, currency: str = "CNY", since: str = "2022-05-16") -> list[dict[str, Any]]:
    """An illegal gain of some days of May."""
    return [
        {
            "basis": "illegal_gain",
            "value": value,
            "currency": currency,
            "period": {"from": since, "to": "2022-05-27"},
        }
    ]


def people(count: int) -> list[dict[str, Any]]:
    """Suspects S1, S2 …"""
    return [{"ref": f"S{number}", "kind": "natural", "name": f"人{number}"} for number in range(1, count + 1)]


def received(when: str) -> dict[str, Any]:
    """A receipt that names this time."""
    return answer("referral.receipted", received_at=when, competent=True, complete=True)


ABSURD: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    # What is said, where its reason stands, and the place or rule of that with a word of it.
    "a negative amount": (
        [referral(amounts=gain("-2600000.00")), answer("referral.filed", amounts=gain("2600000.00"))],
        *("findings", "R30 opposite signs"),
    ),
    "a period that ends before it begins": (
        [referral(amounts=gain("2600000.00", since="2022-06-16"))],
        *("advice", "/data/amounts/0/period begins on 2022-06-16, after its end"),
    ),
    "money that nobody knows": (
        [referral(amounts=gain("2600000.00", "yuan"))],
        *("advice", "/data/amounts/0/currency not a code of a currency"),
    ),
    "two figures in a currency that nobody uses": (
        [referral(amounts=gain("2.00", "XYZ")), answer("referral.filed", amounts=gain("1.00", "XYZ"))],
        *("findings", "R30 XYZ"),
    ),
    "an event of 1970": (
        [door_event(time="1970-01-01T10:00:00+08:00")],
        *("advice", "/data/envelope/legal_basis/0 not in force on 1970-01-01"),
    ),
    "a receipt of 1970": (
        [referral(), received("1970-01-01T10:00:00+08:00")],
        *("findings", "R07 on 1970-01-01, but"),
    ),
    "an event of 2100": (
        [referral("2100-01-01T10:00:00+08:00")],
        *("advice", "/time a time to come, 2100-01-01"),
    ),
    "an event of 9999": (
        [referral("9999-01-01T10:00:00+08:00")],
        *("refused", "/time expected a year from 1900 to 9899"),
    ),
    "a receipt of 9850": (
        [referral(), received("9850-01-01T10:00:00+08:00")],
        *("findings", "R07 cannot be counted"),
    ),
    "one reference for two suspects": (
        [referral(suspects=[*people(1), *people(1)])],
        *("refused", "/data/suspects/1/ref two suspects under one reference"),
    ),
    "a suspect twice": (
        [referral(suspects=[*people(1), {**people(1)[0], "ref": "S2"}])],
        *("advice", "/data/suspects/1 bears the name of S1"),
    ),
    "ten thousand suspects": (
        [referral(suspects=people(10_000))],
        *("refused", "/data/suspects 10,000 items"),
    ),
    "five hundred suspects, one of whom is lost": (
        [referral(suspects=people(500)), answer("referral.filed", suspects=people(499))],
        *("findings", "R31 does not list 人500"),
    ),
    "a charge of nobody": (
        [referral(suspects=people(1), charges=[{"suspect": "S7", "article": "182"}])],
        *("refused", "/data/charges/0/suspect S7"),
    ),
    "an article that no law has": (
        [referral(suspects=people(1), charges=[{"suspect": "S1", "article": "99999"}])],
        *("refused", "/data/charges/0/article not an article of the Criminal Law"),
    ),
    "an addressee that nobody is": (
        [door_event(envelope={"to": ["fbi"]})],
        *("refused", "/data/envelope/to/0 no member of the bus"),
    ),
    "a unit of count that nobody has": (
        [
            door_event(
                type="publication.statistic_published",
                source="/spp/office",
                data={"title": "x", "figures": [{"ref": "F1", "unit": "bushels"}]},
            )
        ],
        *("refused", "/data/figures/0/unit bushels"),
    ),
    "an identity number in clear": (
        [referral(annexes=[{"kind": "other", "title": "身份证号440524188001010014"}])],
        *("refused", "/data/annexes/0/title resident identity number"),
    ),
    # In clear it is an identity number as any other; sealed it passes, see below.
    "the number of a residence permit": (
        [referral(annexes=[{"kind": "other", "title": "居住证810000199001010019"}])],
        *("refused", "/data/annexes/0/title resident identity number"),
    ),
}


@pytest.mark.parametrize("name", list(ABSURD))
def test_what_is_absurd_gets_its_reason_at_once(name: str) -> None:
    """The reason stands where it must, names its place or rule and what is wrong, within two seconds."""
    said, where, expected = ABSURD[name]
    begun = time.process_time()
    given = check(said, at(NOW)).to_json()
    assert time.process_time() - begun < MOST_S
    reasons = [
        f"{one.get('pointer') or one['rule']} {one['detail'] if 'detail' in one else one['because']['en']}"
        for one in given[where]
    ]
    place, _, words = expected.partition(" ")
    assert any(reason.startswith(f"{place} ") and words in reason for reason in reasons), reasons


def test_what_is_large_and_right_is_let_through() -> None:
    """The largest figure that fits, five hundred suspects and a security's code are no reason to refuse."""
    said = referral(
        amounts=gain("9999999999999999.00"),
        suspects=people(500),
        charges=ARTICLE_182,
        security={"market": "SSE", "code": "609999", "name": None},
    )
    given = check([said], at("2022-06-20T12:00")).to_json()
    assert (given["refused"], given["advice"], given["findings"]) == ([], [], [])


@pytest.mark.parametrize("number", ["810000199001010019", "440524188001010013"])
def test_a_residence_permit_passes_where_it_is_sealed(number: str) -> None:
    """The permit of somebody from Hong Kong is let through; a number with a wrong check digit is named."""
    person = {"ref": "S1", "name": "甲", "documents": [{"kind": "resident_id", "number": number}]}
    given = check([referral(suspects=people(1), sealed={"persons": [person]})], at(NOW)).to_json()
    refused = [] if number.startswith("81") else ["/data/sealed/persons/0/documents/0/number"]
    assert [one["pointer"] for one in given["refused"]] == refused
    assert number not in str(given)
