"""Receipts for key events: not admitted, but every reader's keyring makes the same of them, which is told."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from casebus_schemas.admission.keyring import IgnoredKeyEvent, Keyring
from casebus_schemas.admission.receipts import Draft, ReceiptWriter, event_ref
from casebus_schemas.admission.verdict import Admission, Origin
from casebus_schemas.errors import Refused
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.records import Record
from casebus_services.streams.side_reader import NotYet

log = logging.getLogger(__name__)


class KeyOutcome(NamedTuple):
    """What became of a key event; `ignored` is None where it took effect."""

    ignored: IgnoredKeyEvent | None


Outcomes = Callable[[Record], KeyOutcome | None]
"""Asks for the outcome of a key event; None where it is not known, or was left unread beyond a quota."""


def key_receipts(
    records: Sequence[Record],
    outcome_of: Outcomes,
    catch_up: Callable[[], None],
    writer: ReceiptWriter,
    *,
    keyring: Callable[[], Keyring],
    now_ms: int,
) -> list[Draft]:
    """Receipts of one topic's key events, as far as their outcome is known once the keys are read to here.

    `admitted` means that the keyring took it; nobody is notified, since everybody reads the key topics.
    """
    last = records[-1]
    if keyring().positions.get(last.topic, 0) <= last.offset:
        try:
            catch_up()
        except NotYet as error:
            log.warning("no receipts of key events up to %s/0/%d: %s", last.topic, last.offset, error)
            return []
    known = keyring()
    drafts = []
    for record in records:
        outcome = outcome_of(record)
        if outcome is not None:
            drafts.append(_receipt(record, outcome, writer, known, now_ms))
    return drafts


def _receipt(
    record: Record, outcome: KeyOutcome, writer: ReceiptWriter, keyring: Keyring, now_ms: int
) -> Draft:
    try:
        headers: EventHeaders | None = EventHeaders.parse(record.headers)
        digest: bytes | None = digest_of(record)
    except Refused:
        headers = digest = None
    why = outcome.ignored
    admission = Admission(
        origin=Origin(record.topic, record.partition, record.offset),
        attempt=1,
        verdict="admitted" if why is None else "refused",
        code=None if why is None else why.code,
        detail=None if why is None else f"the key event changes nothing, found {why.reason}",
        digest=digest,
        recipients=(),
        catalogue=keyring.catalog.version,
        keyring=keyring.version,
        admitted_at_ms=now_ms,
    )
    return writer.verdict(event_ref(record.headers, headers, digest), admission)
