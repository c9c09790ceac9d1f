"""The admission header and its record."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.admission.verdict import (
    Admission,
    Origin,
    Recipient,
    original_record,
    said_in,
    split_admission,
)
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


TEXTS = st.sampled_from(["c1", "csrc:1", "", 'a"b', "法", "csrc.referral"])
ADMISSIONS = st.builds(
    Admission,
    st.builds(Origin, TEXTS, st.integers(0, 2**31), st.integers(0, 2**64)),
    st.integers(0, 3),
    st.sampled_from(["admitted", "refused"]),
    st.sampled_from([None, "level-s"]),
    st.none() | TEXTS,
    st.none() | st.binary(min_size=32, max_size=32),
    st.lists(st.builds(Recipient, TEXTS, st.sampled_from(["to", "cc"]), st.uuids()), max_size=3).map(tuple),
    TEXTS,
    TEXTS,
    st.integers(0, 2**62),
)


@given(ADMISSIONS, st.data())
def test_what_is_said_of_the_record_alone(admission: Admission, data: st.DataObject) -> None:
    """The short way of reading gives what the whole one gives of the record, and an error where that does."""
    raw = admission.to_json()
    at, byte = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.sampled_from(b'"0a-,]'))
    for given_raw in (raw, raw[:at] + bytes((byte,)) + raw[at + 1 :]):
        try:
            whole = Admission.from_json(given_raw)
        except BusError:
            with pytest.raises(BusError):
                said_in(given_raw)
            continue
        said = said_in(given_raw)
        assert (said.place, said.attempt, said.verdict) == (str(whole.origin), whole.attempt, whole.verdict)
        assert (said.code, said.detail, said.digest) == (whole.code, whole.detail, whole.digest)
        assert (said.admitted_at_ms, said.admitted) == (whole.admitted_at_ms, whole.admitted)


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
