"""Whether a notice is one: signed by its sender at its origin, and told to this agency by its event."""

from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import FINDING, OBLIGATION, topic
from casebus_schemas.errors import Refused
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.codec import peek_envelope
from casebus_schemas.wire.ids import notice_id

from .keyring import Keyring
from .may_say import told
from .notice_records import NoticeRecord
from .proof import Signed, signed_event

LATEST_MS = 30 * 86_400_000
"""How long after the end of its sender's key a notice may still come. What was said before stays valid, and a
notice does not carry when it was said: only the router saw that."""


def signed_notice(agency: str, notice: NoticeRecord, catalog: Catalog, keyring: Keyring) -> Signed | Sentence:
    """A notice in this agency's inbox, ready for its signature to be checked, or why it is forged.

    An agency sees neither the admission nor the sender's topic. It checks that the sender (for what the bus
    says: the bus) has signed this event for its original place, that the event names the agency in that
    role, and that the notice bears the id that follows from both.
    """
    origin = topic(notice.origin.topic)
    channel = None if origin is None else origin.channel
    if channel is None or (origin and origin.agency == BUS and origin.name not in (FINDING, OBLIGATION)):
        where = notice.origin.topic[:60]
        return Sentence(f"{where} 不产生通知", f"nothing from {where} is told to anybody")
    if notice.notice != notice_id(notice.said, agency):
        return Sentence("通知编号与事件不符", "the notice's id does not follow from its event")
    event = catalog.types.get(notice.headers.type)
    if event is not None and event.channel != channel:
        return Sentence(f"{event.type} 不在此频道", f"{event.type} is not said on {notice.origin.topic}")
    if event is not None:
        try:
            roles = told(peek_envelope(catalog, notice.event.value), event)
        except Refused:  # of a newer catalogue: the signature is what can be read of it
            roles = {agency: notice.role}
        if roles.get(agency) != notice.role:
            role = notice.role
            return Sentence(f"事件未以 {role} 告知 {agency}", f"the event does not tell {agency} as {role}")
    # The inbox's time stamp is that of the delivery.
    said = notice.event._replace(timestamp_ms=notice.event.timestamp_ms - LATEST_MS)
    return signed_event(said, notice.headers, keyring, None)
