"""Leaves of a run: the same bytes as the leaf of each record alone."""

from collections.abc import Sequence
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.evidence.leaf import encode_headers, leaf, leaf_hash
from casebus_schemas.evidence.leaf_run import leaf_run
from casebus_schemas.wire.records import Headers, Record

_SEQUENCE = st.sampled_from(
    [b"1", b"42", b"0", b"007", b"", b"1a", b"9" * 19, b"18446744073709551615", b"9" * 20, b"9" * 25, b"\xb2"]
)
_KNOWN = st.one_of(
    st.tuples(st.just("casebus-seq"), _SEQUENCE),
    st.tuples(st.just("casebus-producer"), st.sampled_from([b"", b"csrc-1.1", b"mps-2.7"])),
)
_ANY = st.tuples(st.sampled_from(["ce_id", "ce_type", "é", "\udcff"]), st.none() | st.binary(max_size=40))
_HEADERS = st.lists(st.one_of(_KNOWN, _ANY), max_size=6).map(tuple)


def _records(all_headers: Sequence[Headers], contents: Sequence[bytes | None]) -> list[Record]:
    return [
        Record(
            "csrc.referral", 3, 40 + 2 * number, 1_669_000_000_000 + number, number % 2, key, value, headers
        )
        for number, (headers, key, value) in enumerate(
            zip(all_headers, contents, reversed(contents), strict=True)
        )
    ]


@given(st.data(), st.lists(_HEADERS, min_size=1, max_size=8))
def test_a_run_gives_what_each_record_alone_gives(data: st.DataObject, all_headers: list[Headers]) -> None:
    """Whatever headers, keys and values follow each other, each leaf is that of its record alone."""
    size = len(all_headers)
    contents = data.draw(st.lists(st.none() | st.binary(max_size=60), min_size=size, max_size=size))
    records = _records(all_headers, contents)
    made = leaf_run(records)
    assert made.headers == [encode_headers(record.headers) for record in records]
    assert made.leaves == [leaf(record) for record in records]
    assert made.hashes == [leaf_hash(leaf(record)) for record in records]
    assert made.value_digests == [
        None if record.value is None else sha256(record.value).digest() for record in records
    ]


def test_names_of_equal_lengths_are_not_confused() -> None:
    """Headers whose values have the same lengths but other names get leaves of their own."""
    first: Headers = (("casebus-seq", b"7"), ("ce_type", b"referral.filed"))
    other: Headers = (("content-type", b"7"), ("casebus-producer", b"referral.filed"))
    records = _records([first, other, first], [b"k", b"k", b"k"])
    assert leaf_run(records).leaves == [leaf(record) for record in records]


def test_no_records_give_no_leaves() -> None:
    """An empty run is nothing."""
    assert leaf_run([]).leaves == []
