"""What the law leaves no room for is refused with its article before it is said, unless for a reason."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from casebus_producers.checking.check import check
from casebus_producers.checking.forbidden import MAY_BE_FORBIDDEN, AgainstLaw
from casebus_producers.connector import Connector
from casebus_producers.known import remember_event
from casebus_producers.outbox.despite_law import last_noted
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Queued
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.rules.register import RULES
from casebus_schemas.texts.errors import detail_in_chinese
from casebus_schemas.wire.door import DoorProblem
from support.cases.chains import at
from support.cases.members import door_event, open_outbox

CATALOG = Catalog.load()
SECRET = b"a secret of at least thirty-two bytes"
ENVELOPE = {"to": ["spp"], "precision": "second", "legal_basis": []}
REASON = "经上级批准"


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """The regulator's outbox."""
    return open_outbox(tmp_path)


def connector(outbox: Outbox) -> Connector:
    """The regulator's connector."""
    return Connector(outbox, CATALOG, lambda: SECRET)


def said(number: int, type: str, day: int, **envelope: Any) -> dict[str, Any]:
    """An event of June 2022."""
    return door_event(
        type=type,
        id=f"0190163d-8694-739b-aea5-966c26f8ad{number:02d}",
        time=f"2022-06-{day:02d}T10:00:00+08:00",
        envelope={**ENVELOPE, **envelope},
        **({"data": {"reasons": "示例"}} if type == "referral.withdrawn" else {}),
    )


def commitment() -> list[dict[str, Any]]:
    """A commitment that is accepted behind the referral of its matter."""
    return [
        said(1, "referral.submitted", 19, to=["mps"]),
        said(2, "administrative.commitment_accepted", 20),
    ]


def test_it_is_refused_with_the_article_as_a_check_says_it(outbox: Outbox) -> None:
    """Publishing and checking forbid the same event by the same rule, in both languages; it is not queued."""
    referral, accepted = commitment()
    queued, problem = connector(outbox).submit_all([referral, accepted])
    (forbidden,) = check([referral, accepted], at("2022-06-21")).forbidden
    assert isinstance(queued, Queued)
    assert isinstance(problem, AgainstLaw)
    assert (forbidden["index"], forbidden["rule"]) == (1, "R47")
    assert forbidden["detail"] in problem.detail
    assert "R47" in problem.detail
    assert "commitment-2021 7" in problem.detail
    assert forbidden["zh"] in (detail_in_chinese(problem) or "")
    assert [row.id for row in outbox.recent()] == [queued.id]


def test_what_stands_alone_is_taken(outbox: Outbox) -> None:
    """A commitment in a matter that was referred to nobody is lawful."""
    (queued,) = connector(outbox).submit_all([said(2, "administrative.commitment_accepted", 20)])
    assert isinstance(queued, Queued)


def test_for_a_reason_it_is_said_and_the_reason_is_kept(outbox: Outbox) -> None:
    """The override is kept once, with rule, article and reason, in the transaction of its event."""
    referral, accepted = commitment()
    both = connector(outbox).submit_all([referral, accepted], despite=f" {REASON} ")
    assert all(isinstance(one, Queued) for one in both)
    again = connector(outbox).submit(accepted)
    assert again.repeated, "what was said despite the law may be said again without a reason"
    with outbox.reading() as connection:
        (noted,) = last_noted(connection)
    assert (noted.event, noted.despite.rule, noted.despite.reason) == (again.id, "R47", REASON)
    assert "commitment-2021 7" in noted.despite.law


@pytest.mark.parametrize("text", ["", "  ", "x" * 1001, "a\nb"])
def test_an_empty_reason_is_none(outbox: Outbox, text: str) -> None:
    """Who gives no reason, or more than fits, says nothing."""
    with pytest.raises(UsageError, match="no reason"):
        connector(outbox).submit_all(commitment(), despite=text)
    assert not outbox.recent()


def heard(outbox: Outbox, referral: Queued, number: int, type: str) -> None:
    """What the police said of the chain and the agency heard."""
    with outbox.transaction() as connection:
        remember_event(
            connection,
            digest=bytes([number]) * 32,
            id=UUID(int=number),
            type=type,
            source="/mps/office",
            chain=referral.chain,
            references=(),
        )


@pytest.mark.parametrize(
    ("by_the_police", "forbidden"),
    [
        ((), False),
        (("referral.receipted",), False),
        (("referral.filed",), True),
        (("referral.filed", "referral.corrected"), False),
    ],
)
def test_a_referral_is_not_withdrawn_once_its_filing_was_heard(
    outbox: Outbox, by_the_police: tuple[str, ...], forbidden: bool
) -> None:
    """Refused by what the inbox brought; where the police may have taken the filing back, nobody can tell."""
    referral = connector(outbox).submit(said(1, "referral.submitted", 1, to=["mps"]))
    for number, type in enumerate(by_the_police, 1):
        heard(outbox, referral, number, type)
    withdrawal = said(2, "referral.withdrawn", 9, to=["mps"], withdraws=referral.digest.hex())
    (found,) = connector(outbox).submit_all([withdrawal | {"subject": referral.chain}])
    assert isinstance(found, DoorProblem) == forbidden, found
    if isinstance(found, DoorProblem):
        assert "mps-procedure-2020 186" in found.detail


@pytest.mark.parametrize("type", MAY_BE_FORBIDDEN)
def test_each_type_that_may_be_forbidden_is_looked_at_by_a_rule_that_forbids(type: str) -> None:
    """The list of types is that of the rules; a withdrawal is looked at as one that takes back."""
    looks = {look for rule in RULES.values() if rule.forbids for look in rule.looks_at}
    assert type in looks or (type == "referral.withdrawn" and "corrections" in looks)
