"""Kafka record batches read tolerantly: header names that are not UTF-8 keep their bytes.

The broker accepts any bytes as a header's name. aiokafka's parser fails on such a record and would meet it
again for ever; this one, slower, reads the runs in which that happens. The format is Kafka's message format
v2 (magic 2), the only one that brokers from 4.0 on hand out; aiokafka's private `_DefaultRecordBatchPy` reads
the batch header, checks the CRC and decompresses.
"""

import struct
from collections.abc import Iterator, Sequence

from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.util import decode_varint

from casebus_schemas.wire.records import Record, TopicPartition

_ABORTED = bytes(4)
"""Key of the marker that ends an aborted transaction: version 0, type 0."""
_BATCH_PREFIX = struct.Struct(">qi")  # base offset, length of what follows


def read_run(
    partition: TopicPartition,
    data: bytes,
    first_offset: int,
    most: int | None,
    aborted: Sequence[tuple[int, int]] = (),
) -> tuple[list[Record], int]:
    """Records of a fetch answer from `first_offset` on, and the offset after the last one read.

    Reads whole batches until at least `most` records are there; a last batch that was cut off is left for the
    next fetch. Odd bytes of a header's name become surrogate escapes. `aborted` are transactions (producer,
    first offset) whose records are left out.
    Raises CorruptRecordException if a checksum, a length or a count does not fit.
    """
    records: list[Record] = []
    next_offset = first_offset
    waiting, gone = sorted(aborted, key=lambda one: one[1]), set[int]()
    for batch in _batches(data):
        if most is not None and len(records) >= most:
            break
        if not batch.validate_crc():
            raise CorruptRecordException(f"wrong checksum in {partition} at offset {batch.base_offset}")
        while waiting and waiting[0][1] <= batch.base_offset:
            gone.add(waiting.pop(0)[0])
        if batch.is_control_batch:
            if any(record.key == _ABORTED for record in _records(partition, batch)):
                gone.discard(batch.producer_id)
        elif not (batch.is_transactional and batch.producer_id in gone):
            records.extend(record for record in _records(partition, batch) if record.offset >= first_offset)
        next_offset = max(next_offset, batch.next_offset)
    return records, next_offset


def _batches(data: bytes) -> Iterator[_DefaultRecordBatchPy]:
    at = 0
    while at + _BATCH_PREFIX.size <= len(data):
        _, length = _BATCH_PREFIX.unpack_from(data, at)
        end = at + _BATCH_PREFIX.size + length
        if end > len(data):
            return
        yield _DefaultRecordBatchPy(data[at:end])
        at = end


def _records(partition: TopicPartition, batch: _DefaultRecordBatchPy) -> Iterator[Record]:
    batch._maybe_uncompress()
    buffer, at = batch._buffer, batch._pos
    append_time = batch.timestamp_type == batch.LOG_APPEND_TIME
    try:
        for _ in range(batch._num_records):
            length, start = decode_varint(buffer, at)
            delta_ms, at = decode_varint(buffer, start + 1)  # after the attributes byte, unused
            delta, at = decode_varint(buffer, at)
            key, at = _nullable(buffer, at)
            value, at = _nullable(buffer, at)
            count, at = decode_varint(buffer, at)
            headers = []
            for _ in range(count):
                name, at = _nullable(buffer, at)
                content, at = _nullable(buffer, at)
                headers.append(((name or b"").decode("utf-8", "surrogateescape"), content))
            if at != start + length:
                raise CorruptRecordException(f"a record of {at - start} bytes claims {length} in {partition}")
            yield Record(
                partition.topic,
                partition.partition,
                batch.base_offset + delta,
                batch.max_timestamp if append_time else batch.first_timestamp + delta_ms,
                batch.timestamp_type,
                key,
                value,
                tuple(headers),
            )
    except (IndexError, ValueError) as error:
        raise CorruptRecordException(f"a record of {partition} does not parse: {error!r}") from error


def _nullable(buffer: bytearray, at: int) -> tuple[bytes | None, int]:
    length, at = decode_varint(buffer, at)
    if length < 0:
        return None, at
    return bytes(buffer[at : at + length]), at + length
