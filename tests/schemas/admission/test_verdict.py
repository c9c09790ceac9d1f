"""The admission header and its record."""

from uuid import UUID

import pytest

from casebus_schemas.admission.verdict import Admission, Origin, Recipient, original_record, split_admission
from casebus_schemas.errors import BusError
from casebus_schemas.wire.records import Record

ADMISSION = Admission(
    origin=Origin("csrc.referral", 3, 41),
    attempt=1,
    verdict="admitted",
    code=None,
    detail=None,
    digest=bytes(range(32)),
    recipients=(Recipient("mps", "to", UUID(int=1)), Recipient("spp", "by-law", UUID(int=2))),
    catalogue="c1",
    keyring="csrc:1",
    admitted_at_ms=1669000000123,
)


def test_admission_round_trips() -> None:
    """An admission survives its compact JSON."""
    raw = ADMISSION.to_json()
    assert b" " not in raw
    assert Admission.from_json(raw) == ADMISSION


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"origin":"x"}', b"\xff"])
def test_other_json_is_an_error(raw: bytes) -> None:
    """What is not an admission is a BusError, never a KeyError."""
    with pytest.raises(BusError):
        Admission.from_json(raw)


def test_the_original_is_recovered() -> None:
    """The bus's own headers end the record: what stood before them is the agency's, even a smuggled one."""
    smuggled = (("casebus-admission", b"{}"), ("a", None))
    record = Record(
        "bus.admission", 3, 7, 5, 1, b"k", b"v", (*smuggled, ("casebus-admission", ADMISSION.to_json()))
    )
    admission, headers = split_admission(record)
    assert (admission, headers) == (ADMISSION, smuggled)
    original = original_record(record, admission, headers)
    assert original == Record("csrc.referral", 3, 41, 5, 1, b"k", b"v", smuggled)
