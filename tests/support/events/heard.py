"""What a program outside should make of an inbox: each notice as our own reading has it."""

from typing import Any

from casebus_deploy.stack.stack import Stack
from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.admission.notice_records import parse_notice
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode


def heard(bus: Stack, agency: str) -> list[dict[str, Any]]:
    """All notices of an agency, in the order of its inbox."""
    with TopicReader(KafkaLogin.read(agency, bus.connection), [f"inbox.{agency}"]) as reader:
        records = list(reader.read_to(reader.ends()))
    found = []
    for record in records:
        notice = parse_notice(record)
        _, data = decode(Catalog.load(), record.value)
        found.append(
            {
                "offset": record.offset,
                "type": notice.headers.type,
                "chain": notice.headers.subject,
                "notice": str(notice.notice),
                "digest": notice.digest.hex(),
                "signed": True,
                "same_schema": True,
                "occurred_at": int(data["envelope"]["occurred_at"].timestamp() * 1000),
                "to": list(data["envelope"]["to"]),
            }
        )
    return found
