"""What the router writes of an event, made by the router's own code."""

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.records import Outgoing
from casebus_services.router.outputs import admission_of, dead_letter_of, notices
from casebus_services.router.rules import Judgement, judge
from support.signed_events import Speaker, keyring_of, stored

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


def dead_letter(speaker: Speaker, event: Composed | Outgoing, offset: int = 41) -> Outgoing:
    """The dead letter of a refused event, at its second attempt."""
    judgement = judged(speaker, event, offset)
    assert not judgement.admitted
    admission = admission_of(judgement, attempt=2, catalogue="c", keyring="k", admitted_at_ms=ADMITTED_AT_MS)
    return dead_letter_of(judgement, admission)
