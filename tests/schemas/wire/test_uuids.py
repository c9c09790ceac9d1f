"""UUIDs made quickly are those that the library makes."""

from uuid import UUID, uuid4

import pytest

from casebus_schemas.wire.uuids import uuid_in, uuid_of


def test_they_are_equal() -> None:
    """From bytes and from text the same value, hash, text and version come as from the library."""
    for known in (*(uuid4() for _ in range(50)), UUID(int=0), UUID(int=2**128 - 1)):
        for made in (uuid_of(known.bytes), uuid_in(str(known)), uuid_in(known.urn), uuid_in(known.hex)):
            assert (made, hash(made), str(made), made.version) == (
                known,
                hash(known),
                str(known),
                known.version,
            )


@pytest.mark.parametrize("text", ["", "x" * 36, "0" * 35, "00000000-0000-0000-0000-00000000000g", "0 " * 18])
def test_other_texts_are_none(text: str) -> None:
    """What is no UUID raises ValueError."""
    with pytest.raises(ValueError):
        uuid_in(text)
