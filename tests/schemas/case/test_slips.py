"""Which slip explains the difference of two figures."""

from decimal import Decimal

import pytest

from casebus_schemas.case.amounts import Slip, Stated, slip, stated_by
from support.cases.chains import amount, say


def _stated(agency: str, value: str) -> Stated:
    (stated,) = stated_by(
        say(agency, "referral.filed", "2022-01-01", agency=agency, amounts=[amount("loss", value)])
    )
    return stated


@pytest.mark.parametrize("factor", ["100", "10000", "100000000"])
def test_c14_two_four_or_eight_places_are_a_slip(factor: str) -> None:
    """Whoever gives the smaller figure seems to have slipped, by two decimals, in 万元 or in 亿元."""
    right, wrong = _stated("csrc", "4619000000.00"), _stated("mps", str(Decimal("4619000000") / int(factor)))
    assert slip(right, wrong) == Slip(Decimal(factor), False, "mps")


@pytest.mark.parametrize("other", ["461900000.00", "46191.00", "4619001.00"])
def test_c14_other_differences_are_none(other: str) -> None:
    """A figure ten times, a thousand times or a little different is explained by no slip."""
    assert slip(_stated("csrc", "4619000.00"), _stated("mps", str(Decimal(other) / 10))) is None
