"""Says at the agency's door that its own key ends soon, or has ended, as far as its outbox knows."""

import time

from casebus_schemas.admission.key_terms import REMEDY, WARNED_MS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Refused
from casebus_schemas.times import beijing_text, to_datetime, to_moment
from casebus_schemas.wire.codec import decode

from ..outbox.outbox import Outbox

# By the streams of each incarnation: an index leads to the few key events among all that was said.
_ANNOUNCED = """
SELECT o.payload FROM stream s JOIN outbox o
ON o.producer = s.producer AND o.topic = s.topic AND o.partition = s.partition
WHERE s.topic = ? AND o.type IN ('key.announced', 'key.rotated')
"""


def term_problem(outbox: Outbox, catalog: Catalog, key_id: bytes, now_ms: int | None = None) -> str | None:
    """What there is to say of the term of the key that signs; None if nothing, or if others announced it."""
    ends_ms = _ends_ms(outbox, catalog, key_id)
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    if ends_ms is None or ends_ms - now > WARNED_MS:
        return None
    when = "已到期 has ended" if ends_ms <= now else "将到期 ends"
    at = beijing_text(to_datetime(ends_ms))
    return f"签名密钥 the key {key_id.hex()[:16]}… that signs {when} at {at}; announce another: {REMEDY}"


def _ends_ms(outbox: Outbox, catalog: Catalog, key_id: bytes) -> int | None:
    with outbox.transaction() as connection:
        payloads = [row[0] for row in connection.execute(_ANNOUNCED, (f"{outbox.agency}.key",))]
    for payload in payloads:
        try:
            _, data = decode(catalog, payload)
        except Refused:
            continue
        if data["key_id"] == key_id and data["not_after"] is not None:
            return to_moment(data["not_after"])
    return None
