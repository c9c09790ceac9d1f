"""Reads an agency's inbox and proves each notice by the topics of key life, over one connection."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casebus_schemas.admission.notice_proof import signed_notice
from casebus_schemas.admission.notice_records import NOTICE, NoticeRecord, parse_notice
from casebus_schemas.admission.proof import WRONG_SIGNATURE, UnknownKey
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import inbox, key_topics
from casebus_schemas.errors import BusError
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.records import Record, TopicPartition

from ..config import AgencySettings
from ..outbox.outbox import Outbox
from .proving_reader import ProvingReader

# Not at an earlier place: there somebody may have written the same event with another signature.
_KNOWN = "SELECT digest FROM delivery WHERE notice = ? AND seq <= ?"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of the inbox that is no notice this program can read; `problem` says why."""

    seq: int
    problem: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"seq": self.seq, "problem": self.problem}


@dataclass(frozen=True, slots=True)
class ForgedNotice:
    """A record of the inbox that looks like a notice and is not by whom it says: nothing of it is true."""

    seq: int
    problem: Sentence
    record: NoticeRecord

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `claims` is what the forger wants to be believed."""
        headers = self.record.headers
        claims = {
            "source": headers.source,
            "type": headers.type,
            "id": str(headers.id),
            "chain": headers.subject,
            "origin": str(self.record.origin),
        }
        return {"seq": self.seq, "forged": True, "problem": self.problem.to_json(), "claims": claims}


Read = NoticeRecord | ForgedNotice | Unreadable


class InboxReader(ProvingReader):
    """The inbox of an agency from an offset on; keys are read to their end first, and at an unknown key.

    Raises AccessDenied and RetryLater as TopicReader does.
    """

    def __init__(self, settings: AgencySettings, catalog: Catalog, start: int) -> None:
        self._agency = settings.agency
        super().__init__(settings, catalog, TopicPartition(inbox(settings.agency), 0), key_topics(), start)
        try:
            self._last = self.catch_up_keys()
        except BaseException:
            self.close()
            raise

    def end(self) -> int:
        """The end of the inbox when keys were read last: all notices before it can be proven."""
        return self._last

    def go_to(self, offset: int) -> None:
        """Reads on from this offset of the inbox."""
        self.seek({self._place: offset})

    def read_inbox(self, end: int) -> Iterator[Record]:
        """Every record of the inbox before this offset."""
        return self.read_to({self._place: end})

    def holds(self, seq: int, notice: str) -> bool:
        """Whether this notice stands at that number, or Kafka has deleted the inbox up to there."""
        if seq >= self._last:
            return False
        if seq < self.first()[self._place]:
            return True
        self.go_to(seq)
        found = next(self.read_inbox(seq + 1), None)
        return found is not None and notice_of(found) == notice

    def proven(self, records: Sequence[Record], outbox: Outbox) -> list[Read]:
        """Each record as a notice, as a forged one, or as what cannot be read.

        What the agency's own file holds with the same digest was proven when it was noted.
        """
        parsed = [_parsed(record) for record in records]
        known = _proven_before([one for one in parsed if isinstance(one, NoticeRecord)], outbox)
        problems = self._problems(parsed, known)
        if any(isinstance(problem, UnknownKey) for problem in problems.values()):
            # Announced since: looked at once for all of them.
            self._last = self.catch_up_keys()
            problems = self._problems(parsed, known)
        return [
            ForgedNotice(one.seq, problems[one.seq], one)
            if isinstance(one, NoticeRecord) and one.seq in problems
            else one
            for one in parsed
        ]

    def _problems(
        self, parsed: Sequence[NoticeRecord | Unreadable], known: set[int]
    ) -> Mapping[int, Sentence]:
        found = {}
        proven: set[bytes] = set()  # not by notice: the same may be said again, and that by a forger
        for notice in parsed:
            if isinstance(notice, Unreadable):
                continue
            if notice.seq in known:
                proven.add(notice.digest)
                continue
            signed = signed_notice(self._agency, notice, self._catalog, self._keyring)
            if isinstance(signed, Sentence):
                found[notice.seq] = signed
            elif notice.digest not in proven and not signed.is_right():
                found[notice.seq] = WRONG_SIGNATURE
            else:
                proven.add(notice.digest)
        return found


def _proven_before(notices: Sequence[NoticeRecord], outbox: Outbox) -> set[int]:
    with outbox.reading() as connection:
        return {
            notice.seq
            for notice in notices
            if (row := connection.execute(_KNOWN, (str(notice.notice), notice.seq)).fetchone())
            and bytes(row[0]) == notice.digest
        }


def notice_of(record: Record) -> str | None:
    """The id that a record of an inbox bears, whoever wrote it."""
    return next(
        (value.decode(errors="replace") for name, value in record.headers if name == NOTICE and value), None
    )


def _parsed(record: Record) -> NoticeRecord | Unreadable:
    try:
        return parse_notice(record)
    except BusError as error:
        return Unreadable(record.offset, error.detail)
