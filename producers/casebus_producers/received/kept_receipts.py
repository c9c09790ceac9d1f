"""Receipts kept in the agency's own file, and compared with what it sent: the bus can be held to its word."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import to_moment
from casebus_schemas.wire.records import Record

_LOG_APPEND_TIME = 1
_KEEP = """
INSERT OR IGNORE INTO receipt (seq, stage, digest, log, idx, leaf, size, root, key, value, headers)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_KEPT = "SELECT value, headers FROM receipt WHERE seq = ?"
_ALL = "SELECT seq, value, headers FROM receipt WHERE seq >= 0 ORDER BY seq"
_SENT = "SELECT digest, payload, headers, key FROM outbox WHERE id = ?"
# Of a log that Kafka lost: kept under numbers below zero, and compared with nothing that comes.
_PUT_ASIDE = "UPDATE receipt SET seq = (SELECT min(min(seq), 0) FROM receipt) - 1 - seq WHERE seq = ?"
_BEFORE = "SELECT 1 FROM signed_before WHERE digest = ? AND id = ?"
_ROOTS = "SELECT root FROM receipt WHERE log = ? AND size = ? AND root <> ? AND seq >= 0 LIMIT 1"
_LEAVES = "SELECT leaf FROM receipt WHERE log = ? AND idx = ? AND leaf <> ? AND seq >= 0 LIMIT 1"


def keep(connection: sqlite3.Connection, record: Record, data: Mapping[str, Any]) -> Sentence | None:
    """Keeps a receipt that the bus has signed; gives what it says otherwise than this agency knows.

    `data` is its decoded data. Compared are the event's digest with what was sent under its id, the leaf with
    the record's bytes at the place that the receipt names, and leaf and root with those of earlier receipts.
    """
    headers = _text_of(record)
    entry = [data.get(name) for name in ("log", "index", "leaf", "size", "root")]
    digest = data["event"]["digest"]
    said = (record.offset, data["stage"], digest, *entry, record.key, record.value, headers)
    connection.execute(_KEEP, said)
    kept = connection.execute(_KEPT, (record.offset,)).fetchone()
    if (bytes(kept[0]), kept[1]) != (record.value, headers):
        return Sentence("与此前保存的同号回执不同", "another one was kept under this number")
    return _otherwise(connection, data)


def put_aside(connection: sqlite3.Connection, records: Mapping[int, Record], first: int) -> int:
    """Puts receipts aside that the topic, from offset `first` on, does not hold at their number; how many."""
    gone = [
        seq
        for seq, value, headers in connection.execute(_ALL).fetchall()
        if seq >= first
        and (seq not in records or (records[seq].value, _text_of(records[seq])) != (bytes(value), headers))
    ]
    for seq in gone:
        connection.execute(_PUT_ASIDE, (seq,))
    return len(gone)


def _text_of(record: Record) -> str:
    return json.dumps([(name, (value or b"").decode()) for name, value in record.headers])


def _otherwise(connection: sqlite3.Connection, data: Mapping[str, Any]) -> Sentence | None:
    id, digest = data["event"]["id"], data["event"]["digest"]
    sent = None if id is None else connection.execute(_SENT, (str(id),)).fetchone()
    if sent is not None and connection.execute(_BEFORE, (digest, str(id))).fetchone() is not None:
        sent = None  # signed again since: its bytes of then are not kept
    if sent is not None and digest is not None and bytes(sent[0]) != digest:
        found = f"digest {digest.hex()[:16]}…, sent was {bytes(sent[0]).hex()[:16]}…"
        return Sentence("所指内容与所发不符", f"it names other bytes than were sent under this id: {found}")
    if data["stage"] != "ledgered":
        return None
    log, index, size = data["log"], data["index"], data["size"]
    if sent is not None and digest is not None and _leaf(data, sent) != data["leaf"]:
        return Sentence("叶哈希与所发记录不符", "its leaf is not that of the record that was sent")
    if connection.execute(_LEAVES, (log, index, data["leaf"])).fetchone() is not None:
        return Sentence("同一条目此前另有叶哈希", f"entry {index} of {log} had another leaf before")
    if connection.execute(_ROOTS, (log, size, data["root"])).fetchone() is not None:
        return Sentence("同一大小此前另有根哈希", f"{log} had another root at size {size} before")
    return None


def _leaf(data: Mapping[str, Any], sent: Any) -> bytes:
    _, payload, headers, key = sent
    origin = data["origin"]
    pairs = tuple((name, text.encode()) for name, text in json.loads(headers))
    at_ms = to_moment(data["appended_at"])
    place = (origin["topic"], origin["partition"], origin["offset"], at_ms, _LOG_APPEND_TIME)
    return leaf_hash(leaf(Record(*place, bytes(key), bytes(payload), pairs)))
