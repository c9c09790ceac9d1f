"""Says at the agency's door that its own key ends soon, or has ended, as far as its outbox knows."""

import time

from sqlalchemy import select

from casebus_schemas.admission.key_terms import REMEDY, WARNED_MS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Refused
from casebus_schemas.times import beijing_text, to_datetime, to_moment
from casebus_schemas.wire.codec import decode

from .database import outbox as rows
from .database import stream
from .outbox import Outbox

_ANNOUNCING = ("key.announced", "key.rotated")


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
    topic = f"{outbox.agency}.key"
    # By the streams of each incarnation: an index leads to the few key events among all that was said.
    query = (
        select(rows.c.payload)
        .join_from(
            stream,
            rows,
            (rows.c.producer == stream.c.producer)
            & (rows.c.topic == stream.c.topic)
            & (rows.c.partition == stream.c.partition),
        )
        .where(stream.c.topic == topic, rows.c.type.in_(_ANNOUNCING))
    )
    with outbox.transaction() as connection:
        payloads = list(connection.execute(query).scalars())
    for payload in payloads:
        try:
            _, data = decode(catalog, payload)
        except Refused:
            continue
        if data["key_id"] == key_id and data["not_after"] is not None:
            return to_moment(data["not_after"])
    return None
