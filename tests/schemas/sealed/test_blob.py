"""The form of `sealed`: one form only, said what is wrong, and never a failure of another kind."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.blob import SealedBytes, Wrapped

READER = Wrapped("mps", sha256(b"id").digest(), bytes(32), bytes(48))
WHOLE = SealedBytes(bytes(16), (READER, READER._replace(agency="spp")), bytes(12), bytes(1040))
RAW = WHOLE.to_bytes()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "ends within the mark, found 0 bytes, expected 3"),
        (b"XYZ" + RAW[3:], "not sealed content of this bus, found 58595a, expected 434253"),
        (b"CBS\2" + RAW[4:], "an unknown form of sealed content, found 2/1, expected 1/1"),
        (b"CBS\1\2" + RAW[5:], "found 1/2, expected 1/1"),
        (RAW[:21] + b"\0" + RAW[22:], "readers of sealed content, found 0, expected 1 to 32"),
        (RAW[:21] + b"\x21" + RAW[22:], "found 33, expected 1 to 32"),
        (RAW[:-1], "ends within the content, found 1039 bytes, expected 1040"),
        (RAW + b"\0", "bytes behind the sealed content, found 1, expected none"),
        (RAW[:22] + b"\0" + RAW[26:], "a reader of sealed content"),
        (SealedBytes(bytes(16), (READER, READER), bytes(12), bytes(1040)).to_bytes(), "found mps, mps"),
        (
            SealedBytes(
                bytes(16), (READER._replace(agency="spp"), READER), bytes(12), bytes(1040)
            ).to_bytes(),
            "found spp, mps, expected each once, in alphabetical order",
        ),
        (
            SealedBytes(bytes(16), (READER,), bytes(12), bytes(1041)).to_bytes(),
            "a length of sealed content, found 1041",
        ),
        (
            SealedBytes(bytes(16), (READER,), bytes(12), bytes(528)).to_bytes(),
            "a length of sealed content, found 528",
        ),
    ],
)
def test_each_fault_of_the_form_is_named(raw: bytes, said: str) -> None:
    """What is not exactly the form is refused with what was found and expected."""
    with pytest.raises(UsageError) as refused:
        SealedBytes.parse(raw)
    assert said in refused.value.detail


def test_the_form_comes_back() -> None:
    """What was written is read as the same value."""
    assert SealedBytes.parse(RAW) == WHOLE
    assert WHOLE.agencies == ("mps", "spp")


@given(st.binary(max_size=400).map(lambda tail: RAW[: len(tail)] + tail) | st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No bytes lead to another failure, and what is read is written back the same."""
    try:
        read = SealedBytes.parse(raw).to_bytes()
    except UsageError:
        read = raw
    assert read == raw
