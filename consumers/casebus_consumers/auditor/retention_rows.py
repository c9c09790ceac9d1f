"""Finds entries by what stands in their headers, and by their chain."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from casebus_schemas.admission.verdict import Origin
from casebus_schemas.evidence.leaf import decode_headers, leaf, parse_leaf
from casebus_schemas.wire.records import Headers, Record
from casebus_services.ledger.ledger_tables import POSTGRES, SQLITE


class RetentionRows:
    """Asks the tables. For one thread, as long as the connection is open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def records_saying(self, channel: str, text_in_headers: bytes) -> Iterator[Record]:
        """As `records`, of all topics of a channel, those in whose headers some bytes stand."""
        dialect = self._connection.dialect.name
        found = self._connection.execute(
            _SAYING[dialect], {"channel": f"%{channel}", "needle": text_in_headers}
        )
        for row in found:
            try:
                said, headers = parse_leaf(row.leaf), decode_headers(row.headers)
            except ValueError:
                continue
            time = (said.timestamp_ms, said.timestamp_type)
            record = Record(row.topic, row.partition, row.koffset, *time, row.key, row.value, headers)
            if leaf(record) == row.leaf:
                yield record

    def of_chain(
        self, topics: str, chain: bytes
    ) -> Iterator[tuple[Origin, Headers, bytes | None, bytes | None]]:
        """Place, headers, digest of the content and content of a chain's entries on topics that begin so."""
        for row in self._connection.execute(_OF_CHAIN, {"topics": f"{topics}%", "key": chain}):
            try:
                headers = decode_headers(row.headers)
            except ValueError:
                continue
            yield Origin(row.topic, row.partition, row.koffset), headers, row.value_sha256, row.value


_SAYING = {
    name: text(
        "SELECT log.topic, log.partition, e.koffset, e.key, e.headers, e.leaf, p.value FROM entry e "
        "JOIN log USING (log_id) JOIN payload p ON p.value_sha256 = e.value_sha256 "
        f"WHERE log.topic LIKE :channel AND {place} > 0 ORDER BY log.topic, log.partition, e.idx"
    )
    for name, place in (
        (SQLITE, "instr(e.headers, :needle)"),
        (POSTGRES, "position(:needle IN e.headers)"),
    )
}
_OF_CHAIN = text(
    "SELECT log.topic, log.partition, e.koffset, e.headers, e.value_sha256, p.value FROM entry e "
    "JOIN log USING (log_id) LEFT JOIN payload p ON p.value_sha256 = e.value_sha256 "
    "WHERE log.topic LIKE :topics AND e.key = :key ORDER BY log.topic, log.partition, e.idx"
)
