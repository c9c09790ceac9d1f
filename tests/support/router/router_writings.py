"""What the router writes of an event, made by the router's own code."""

from casebus_schemas.admission.verdict import Recipient
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import digest_of, fields_of
from casebus_schemas.wire.ids import notice_id
from casebus_schemas.wire.records import Outgoing, Record
from casebus_services.router.judgement import Judgement, judge
from casebus_services.router.outputs import admission_of, dead_letter_of, notices
from support.events.signed_events import Speaker, keyring_of, stored

ADMITTED_AT_MS = 1_476_800_000_123


def judged(speaker: Speaker, event: Composed | Outgoing, offset: int = 41) -> Judgement:
    """The router's judgement on an event of this speaker that stands at an offset."""
    return judge(stored(event, offset), Catalog.load(), keyring_of(speaker), 4, ADMITTED_AT_MS)


def notices_of(speaker: Speaker, event: Composed, offset: int = 41) -> dict[str, Outgoing]:
    """The inbox records of an admitted event, by inbox."""
    judgement = judged(speaker, event, offset)
    assert judgement.admitted, judgement.detail
    admission = admission_of(judgement, attempt=1, catalogue="c", keyring="k", admitted_at_ms=ADMITTED_AT_MS)
    return {notice.topic: notice for notice in notices(judgement, admission)}


def as_notice(event: Composed, agency: str, offset: int = 41) -> Outgoing:
    """An inbox record as the router would write it of this event, judged or not: for forgers."""
    record = stored(event, offset)
    digest = digest_of(record)
    judgement = Judgement(record, "admitted", None, None, digest, (_to(record, agency),), None, 0, True)
    admission = admission_of(judgement, attempt=1, catalogue="c", keyring="k", admitted_at_ms=ADMITTED_AT_MS)
    (notice,) = notices(judgement, admission)
    return notice


def _to(record: Record, agency: str) -> Recipient:
    return Recipient(agency, "to", notice_id(fields_of(record), agency))


def dead_letter(speaker: Speaker, event: Composed | Outgoing, offset: int = 41) -> Outgoing:
    """The dead letter of a refused event, at its second attempt."""
    judgement = judged(speaker, event, offset)
    assert not judgement.admitted
    admission = admission_of(judgement, attempt=2, catalogue="c", keyring="k", admitted_at_ms=ADMITTED_AT_MS)
    return dead_letter_of(judgement, admission)
