"""Fetches the documents that heard events name from their senders' doors, in pieces, and verifies them."""

import hashlib
import logging
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import BinaryIO
from urllib.parse import urlsplit

from casebus_consumers.own.store import NOTICE, OwnStore, record_of
from casebus_producers.faults import PublisherFaults
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.admission.notice_records import parse_notice
from casebus_schemas.agencies import agency_of_source
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import inbox
from casebus_schemas.errors import BusError, RetryLater
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.signing import SigningKey

from ..following import Follower
from ..outbound import Outbound
from .message_signature import signed_headers
from .store import CHUNK, INFECTED, STORED, AttachmentStore, Wanted, annexes_of, headers_of

PIECE = 64 * 1024 * 1024
"""Bytes asked for at a time: what broke off goes on behind what is here."""
PIECE_TIMEOUT_S = 300.0
SCAN_TIMEOUT_S = 1_800.0
CLEAN, VIRUS = 0, 1
"""What a scanner's exit code says, as clamscan's; any other is a failure of the scanner."""
BETWEEN_PIECES = "attachments.between-pieces"
BEFORE_STORED = "attachments.before-stored"
_LOOK_S = 0.5
_AT_ONCE = 500
_FIRST_S, _LONGEST_S = 5.0, 3_600.0
_ALARM = 3
_OUTBOX = """
SELECT position, digest, headers, payload, aggregateid FROM outbox
WHERE position > ? ORDER BY position LIMIT ?
"""
log = logging.getLogger(__name__)


class Attachments(Follower):
    """Notes what own and heard events name, and fetches what is missing, again until it is here."""

    def __init__(
        self,
        name: str,
        stop: Event,
        store: AttachmentStore,
        outbox: Outbox,
        heard: OwnStore,
        catalog: Catalog,
        key: SigningKey,
        outbound: Outbound,
        *,
        doors: Mapping[str, str],
        scanner: Sequence[str] = (),
        piece: int = PIECE,
        faults: PublisherFaults | None = None,
    ) -> None:
        """`doors` are the addresses of other agencies' doors; `scanner` is a command that is given a file."""
        super().__init__(name, stop)
        self._store = store
        self._outbox = outbox
        self._heard = heard
        self._catalog = catalog
        self._key = key
        self._outbound = outbound
        self._doors = doors
        self._scanner = tuple(scanner)
        self._piece = piece
        self._faults = faults or PublisherFaults()

    def follow(self) -> None:
        """Looks, fetches, looks again."""
        while not self._stop.is_set():
            self.look()
            fetched = self.fetch_one()
            troubled = self._store.in_trouble(_ALARM)
            self.well()
            if troubled:
                self.problem = f"{troubled} attachments are missing"
            if not fetched:
                self._stop.wait(_LOOK_S)

    # --- what events name --------------------------------------------------------------------------------

    def look(self) -> None:
        """Notes what own and heard events name since the last look."""
        agency = self._outbox.agency
        while True:
            with self._outbox.reading() as connection:
                rows = connection.execute(_OUTBOX, (self._store.place("outbox"), _AT_ONCE)).fetchall()
            if not rows:
                break
            found = []
            for _, digest, headers, payload, chain in rows:
                data = self._data(bytes(payload), EventHeaders.parse(headers_of(headers)).type)
                found += annexes_of(data, event=digest.hex(), chain=chain, speaker=agency, own=True)
            self._store.note("outbox", rows[-1][0], found)
        topic = inbox(agency)
        while headings := self._heard.headings(self._store.place("inbox"), _AT_ONCE):
            found = []
            for entry in self._heard.notices([one.seq for one in headings if one.kind == NOTICE]):
                notice = parse_notice(record_of(entry, topic))
                data = self._data(notice.event.value or b"", notice.headers.type)
                speaker = agency_of_source(notice.headers.source)
                event, chain = notice.digest.hex(), notice.headers.subject
                found += annexes_of(data, event=event, chain=chain, speaker=speaker, own=False)
            self._store.note("inbox", headings[-1].seq, found)

    def _data(self, value: bytes, type: str) -> Mapping[str, object]:
        schema = self._catalog.latest(type) if type in self._catalog.types else None
        if schema is None or all(field["name"] != "annexes" for field in schema.schema["fields"]):
            return {}
        return decode(self._catalog, value)[1]

    # --- fetching ----------------------------------------------------------------------------------------

    def fetch_one(self) -> bool:
        """Fetches one document that is due; False if there is none."""
        wanted = self._store.due()
        if wanted is None:
            return False
        try:
            self.fetch(wanted)
        except BusError as error:
            again_s = min(_FIRST_S * 2 ** min(wanted.attempts, 12), _LONGEST_S)
            self._store.missed(wanted.sha256, error.detail, again_s)
            log.warning("attachment %s: %s", wanted.sha256[:16], error.detail)
        return True

    def fetch(self, wanted: Wanted) -> None:
        """Fetches a document, verifies it, has it scanned, stores it. Raises BusError where it cannot now.

        Uses a piece's memory whatever its size.
        """
        digest, part = wanted.sha256, self._store.part(wanted.sha256)
        if self._store.path(digest).exists():
            self._store.settle(digest, STORED)
            return
        url = self._url(wanted)
        found, have = hashlib.sha256(), 0
        part.touch(mode=0o600)
        with part.open("r+b") as out:
            while chunk := out.read(CHUNK):
                found.update(chunk)
                have += len(chunk)
            if have > wanted.size:
                out.truncate(0)
                raise RetryLater(
                    "the document is longer than its event says", found=have, expected=wanted.size
                )
            while have < wanted.size:
                if self._stop.is_set():
                    raise RetryLater("the door ends; it goes on behind what is here")
                have += self._take_piece(url, have, wanted.size, out, found)
                self._faults.point(BETWEEN_PIECES, 1)
            os.fsync(out.fileno())
        if found.hexdigest() != digest:
            part.unlink()
            raise RetryLater("the document has another digest", found=found.hexdigest(), expected=digest)
        if self._is_infected(part):
            part.unlink()
            self._store.settle(digest, INFECTED, "the scanner found a virus")
            log.warning("attachment %s: the scanner found a virus", digest[:16])
            return
        self._faults.point(BEFORE_STORED, 1)
        self._store.keep(part, digest)
        self._store.settle(digest, STORED)

    def _url(self, wanted: Wanted) -> str:
        door = next((self._doors[one] for one in wanted.speakers if one in self._doors), None)
        if door is None:
            raise RetryLater(
                "the door of the sender is not known",
                found=", ".join(wanted.speakers),
                expected="its address under `doors` in door.yaml",
            )
        return f"{door.rstrip('/')}/v1/attachments/{wanted.sha256}"

    def _take_piece(self, url: str, start: int, size: int, out: BinaryIO, found: "hashlib._Hash") -> int:
        end = min(start + self._piece, size) - 1
        parts = urlsplit(url)
        asked = f"bytes={start}-{end}"
        signed = signed_headers(
            self._key,
            self._outbox.agency,
            method="GET",
            authority=_authority(url),
            path=parts.path,
            range=asked,
            now_s=int(time.time()),
        )
        headers = {"range": asked, "user-agent": "casebus-door", **signed}
        with self._outbound.open("GET", url, headers, None, PIECE_TIMEOUT_S) as response:
            expected = f"bytes {start}-{end}/{size}"
            said = response.getheader("content-range", "")
            if response.status != 206 or said != expected:
                raise RetryLater(
                    "the sender's door does not give the document",
                    found=f"HTTP {response.status} {said}".strip(),
                    expected=f"206 {expected}",
                )
            taken, most = 0, end - start + 1
            while taken < most and (chunk := response.read(min(CHUNK, most - taken))):
                out.write(chunk)
                found.update(chunk)
                taken += len(chunk)
        out.flush()
        if taken < most:
            raise RetryLater(
                "the document broke off", found=f"{start + taken} bytes", expected=f"{size} bytes"
            )
        return taken

    def _is_infected(self, file: Path) -> bool:
        """What the scanner says. Raises RetryLater where it fails."""
        if not self._scanner:
            return False
        try:
            done = subprocess.run(
                [*self._scanner, str(file)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SCAN_TIMEOUT_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RetryLater(
                "the scanner cannot be run", found=f"{type(error).__name__}: {error}"[:200]
            ) from error
        if done.returncode not in (CLEAN, VIRUS):
            raise RetryLater(
                "the scanner failed",
                found=f"exit code {done.returncode}",
                expected="0 (clean) or 1 (a virus)",
            )
        return done.returncode == VIRUS


def _authority(url: str) -> str:
    """Host and port as an HTTP client names them."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
    default = {"http": 80, "https": 443}[parts.scheme] if parts.scheme in ("http", "https") else None
    return host if parts.port in (None, default) else f"{host}:{parts.port}"
