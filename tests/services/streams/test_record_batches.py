"""Record batches with odd header names."""

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record import MemoryRecords
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.util import calc_crc32c_py
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.wire.records import Headers, TopicPartition
from casebus_services.streams.odd_names import _Name, has_odd_name
from casebus_services.streams.record_batches import read_run

PLACE = TopicPartition("mps.clue", 3)
Content = tuple[bytes | None, bytes | None, Headers]

names = st.binary(max_size=12).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
nullable = st.none() | st.binary(max_size=40)
contents = st.tuples(nullable, nullable, st.lists(st.tuples(names, nullable), max_size=4).map(tuple))


def batch(*records: Content, base: int = 100, compression: int = 0) -> bytes:
    """A batch as the broker stores it, its first record at offset `base`."""
    builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, -1, 1 << 20)
    for index, (key, value, headers) in enumerate(records):
        builder.append(index, 1_700_000_000_000 + index, key, value, [(_Name(n), v) for n, v in headers])
    data = builder.build()
    data[:8] = base.to_bytes(8, "big")
    return bytes(data)


def transaction(base: int, producer: int, *, ends: bytes | None = None) -> bytes:
    """A batch of a transaction with one record, or (`ends`) the marker of that key that ends it."""
    control = 0x20 if ends is not None else 0
    builder = _DefaultRecordBatchBuilderPy(2, 0, 1, producer, 0, 0, 1 << 20)
    builder.append(0, 1_700_000_000_000, ends or b"k", b"v", [])
    data = bytearray(builder.build())
    data[:8] = base.to_bytes(8, "big")
    data[21:23] = (int.from_bytes(data[21:23], "big") | control).to_bytes(2, "big")
    data[17:21] = calc_crc32c_py(bytes(data[21:])).to_bytes(4, "big")
    return bytes(data)


def test_d4_what_was_aborted_is_left_out() -> None:
    """Of an aborted transaction no record is read, of others and of the same producer's next one all are."""
    committed, aborted = bytes([0, 0, 0, 1]), bytes(4)
    data = b"".join(
        [
            transaction(100, 7),
            transaction(101, 8),
            transaction(102, 7, ends=aborted),
            transaction(103, 7),
            transaction(104, 8, ends=committed),
            transaction(105, 7, ends=committed),
        ]
    )
    run, next_offset = read_run(PLACE, data, 100, None, [(7, 100)])
    assert ([record.offset for record in run], next_offset) == ([101, 103], 106)
    everything, _ = read_run(PLACE, data, 100, None)
    assert [record.offset for record in everything] == [100, 101, 103]


@given(st.lists(contents, min_size=1, max_size=6), st.sampled_from([0, 1]))
def test_every_byte_comes_back(records: list[Content], compression: int) -> None:
    """Whatever bytes keys, values, header names and header values have, they come back, in order."""
    run, next_offset = read_run(PLACE, batch(*records, compression=compression), 100, None)
    assert records == [(record.key, record.value, record.headers) for record in run]
    assert [100 + index for index in range(len(records))] == [record.offset for record in run]
    assert (100 + len(records), {PLACE}) == (
        next_offset,
        {(record.topic, record.partition) for record in run},
    )


def test_agrees_with_the_usual_parser() -> None:
    """Where names are UTF-8, both parsers give the same record."""
    data = batch((b"k", None, (("ce_id", b"1"), ("名", None))))
    (record,), _ = read_run(PLACE, data, 100, None)
    usual = next(iter(MemoryRecords(data).next_batch()))
    assert (
        usual.offset,
        usual.timestamp,
        usual.timestamp_type,
        usual.key,
        usual.value,
        tuple(usual.headers),
    ) == record[2:]


def test_the_usual_parser_still_fails() -> None:
    """aiokafka cannot read a name that is not UTF-8: the day it can, this reader may go."""
    data = batch((b"k", b"v", (("\udcff", b""),)))
    with pytest.raises((UnicodeDecodeError, CorruptRecordException)):
        next(iter(MemoryRecords(data).next_batch()))


def test_starts_in_the_middle_and_stops_after_enough() -> None:
    """Records below the wanted offset are left out; whole batches are read until there are enough."""
    plain: Content = (b"k", b"v", ())
    data = batch(plain, plain, plain) + batch(plain, plain, base=103) + batch(plain, base=105)
    run, next_offset = read_run(PLACE, data, 101, 3)
    assert ([record.offset for record in run], next_offset) == ([101, 102, 103, 104], 105)


def test_a_batch_that_was_cut_off_is_left_for_the_next_fetch() -> None:
    """The end of a fetch answer may hold half a batch."""
    plain: Content = (b"k", b"v", ())
    run, next_offset = read_run(PLACE, batch(plain) + batch(plain, base=101)[:-1], 100, None)
    assert ([record.offset for record in run], next_offset) == ([100], 101)


def test_a_changed_byte_is_noticed() -> None:
    """A batch whose checksum does not fit is not delivered."""
    data = bytearray(batch((b"k", b"value", ())))
    data[-4] ^= 1
    with pytest.raises(CorruptRecordException):
        read_run(PLACE, bytes(data), 100, None)


@pytest.mark.parametrize(
    ("name", "odd"), [("ce_id", False), ("", False), ("\udcff", True), ("a\0b", True), ("名", True)]
)
def test_odd_names(name: str, odd: bool) -> None:
    """Names beyond printable ASCII do not go through the fast producer."""
    assert odd == has_odd_name((("ce_id", b""), (name, None)))
