"""Writes mails of what came and what falls due, and hands them to the server, again until it takes them."""

import logging
import random
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from casebus_consumers.desk.words import Words
from casebus_consumers.door.deliveries import Due
from casebus_consumers.door.following import Follower
from casebus_consumers.door.webhooks.telling import AGAIN_S
from casebus_consumers.own.store import Entry, OwnStore
from casebus_producers.faults import PublisherFaults
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.calendar import Calendar, published
from casebus_schemas.times import in_beijing, to_datetime

from .letter import letter
from .mail_server import MailRefused, ServerTrouble, connected, hand_over, reset
from .occasions import Occasion, notices, terms
from .settings import Level, NotifySettings
from .store import Mailbox, NotifyStore

AFTER_ACK = "notifier.after-ack"
"""The server has taken a mail, the file does not know it yet."""
AT_MOST_EVERY_S = 300.0
"""Between two mails at once to a mailbox: what comes meanwhile is in the second."""
_SERVER_PAUSES_S = (5.0, 15.0, 60.0, 300.0)
_LOOK_S = 5.0
_TAKE = 500
_MOST_IN_A_RUN = 100
log = logging.getLogger(__name__)


class Notifier(Follower):
    """Mails of one agency to its officers, at least once each.

    A mailbox is told of an occasion once: the mail and what it tells of are kept in one transaction, and a
    mail that the server has taken is never sent again. Where the connection breaks between a mail and the
    server's answer, or the process is killed there, the same bytes go again under the same Message-ID.
    `duties` gives the agency's terms as they stand at `now`.
    """

    def __init__(
        self,
        name: str,
        stop: Event,
        file: Path,
        settings: NotifySettings,
        agency: str,
        heard: OwnStore,
        duties: Callable[[datetime], Iterable[dict[str, Any]]],
        now: Callable[[], datetime],
        catalog: Catalog,
        *,
        faults: PublisherFaults | None = None,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        calendar: Calendar | None = None,
    ) -> None:
        super().__init__(name, stop)
        self._file = file
        self._settings = settings
        self._agency = agency
        self._heard = heard
        self._duties = duties
        self._now = now
        self._catalog = catalog
        self._faults = faults or PublisherFaults()
        self._clock_ms = clock_ms
        self._calendar = calendar or published()
        self._words = Words(settings.language)
        self._levels = settings.mailboxes()
        self._server_failures = 0
        self._server_paused_until_ms = 0
        self._server_problem: str | None = None

    def follow(self) -> None:
        """Writes and sends."""
        store = NotifyStore(self._file, self._clock_ms)
        while not self._stop.is_set():
            self.step(store)
            self._stop.wait(_LOOK_S)

    def step(self, store: NotifyStore) -> None:
        """One look: writes what is to be told, sends what is due. In quiet hours neither."""
        last = self._heard.last_heading()
        place = (-1, None) if last is None else (last.seq, last.notice)
        store.add(list(self._levels), place, self._clock_ms() - int(AT_MOST_EVERY_S * 1_000))
        if not self.is_quiet(to_datetime(self._clock_ms())):
            due = list(
                terms(
                    self._duties(now := self._now()),
                    self._agency,
                    now,
                    self._settings.near_days,
                    self._words,
                )
            )
            for name, levels in self._levels.items():
                self.write(store, store.mailbox(name), levels, due)
            self.send(store)
        failed = sum(store.counts(name)["failed"] for name in self._levels)
        self.well()
        if self._server_problem is not None:
            self.problem = f"mail: {self._server_problem}"
        elif failed:
            self.problem = f"mail: {failed} refused for good (casebus notify log)"

    def is_quiet(self, at: datetime) -> bool:
        """Whether no mail is to be sent then."""
        local = in_beijing(at)
        if self._settings.days_off and not self._calendar.works(local.date()):
            return True
        begin, end, clock = self._settings.quiet_from, self._settings.quiet_to, local.time()
        return begin <= clock < end if begin <= end else clock >= begin or clock < end

    # --- writing -----------------------------------------------------------------------------------------

    def write(
        self, store: NotifyStore, box: Mailbox, levels: frozenset[Level], due: Iterable[Occasion]
    ) -> None:
        """Writes a mail to one mailbox if there is something of which it was not told."""
        mine = [one for one in due if one.levels & levels]
        fresh = store.fresh(box.name, [one.key for one in mine])
        told = [one for one in mine if one.key in fresh]
        place, is_time = None, "liaison" in levels and self._is_time(box)
        if "liaison" in levels and (told or is_time):
            came, place = self._came(box)
            if self._settings.notices != "none":
                fresh = store.fresh(box.name, [one.key for one in came])
                told += [one for one in came if one.key in fresh]
        looked = is_time and self._settings.notices == "digest"
        if not told and place is None and not looked:
            return
        at = to_datetime(self._clock_ms())
        mail = letter(box.name, told, self._settings, self._agency, at, self._words) if told else None
        store.write(box.name, [one.key for one in told], mail, place, looked=looked)

    def _is_time(self, box: Mailbox) -> bool:
        """Whether notices are to be told now, if there are any."""
        now = to_datetime(self._clock_ms())
        written = to_datetime(box.written_at_ms)
        if self._settings.notices != "digest":
            return now - written >= timedelta(seconds=AT_MOST_EVERY_S)
        local = in_beijing(now)
        moments = [
            local.replace(hour=one.hour, minute=one.minute, second=0, microsecond=0) - timedelta(days=days)
            for one in self._settings.digest_at
            for days in (0, 1)
        ]
        return written < max(moment for moment in moments if moment <= local)

    def _came(self, box: Mailbox) -> tuple[list[Occasion], tuple[int, str | None] | None]:
        """What came behind the place of a mailbox, and the place behind it."""
        after = box.inbox_seq
        if after >= 0 and not self._heard.holds(after, box.inbox_notice):
            # The inbox was read anew, as after an older Kafka was put back: what was told has its key.
            after = -1
        found: list[Entry] = []
        while some := self._heard.entries_after(after, _TAKE):
            found += some
            after = some[-1].seq
        place = (found[-1].seq, found[-1].notice) if found else None
        return list(notices(found, self._words, self._catalog)), place

    # --- sending -----------------------------------------------------------------------------------------

    def send(self, store: NotifyStore) -> None:
        """Hands what is due to the server, over one connection."""
        now = self._clock_ms()
        if now < self._server_paused_until_ms:
            return
        waiting = [name for name in self._levels if store.mailbox(name).paused_until_ms <= now]
        due = {name: found for name in waiting if (found := store.due(name)) is not None}
        if not due:
            return
        name = next(iter(due))
        try:
            with connected(self._settings.server) as smtp:
                sent = 0
                for name in due:
                    while (one := store.due(name)) is not None and not self._stop.is_set():
                        if sent >= _MOST_IN_A_RUN or not self._hand_over(store, smtp, name, one):
                            break
                        sent += 1
        except ServerTrouble as trouble:
            pause_s = _SERVER_PAUSES_S[min(self._server_failures, len(_SERVER_PAUSES_S) - 1)]
            self._server_failures += 1
            self._server_paused_until_ms = now + int(pause_s * 1_000)
            self._server_problem = str(trouble)
            if (one := store.due(name)) is not None:
                store.note_missed(name, one.id, str(trouble), again_ms=0, pause_ms=0, counts=False)
            log.warning("mail: the server takes none now: %s", trouble)
        else:
            self._server_failures, self._server_problem = 0, None

    def _hand_over(self, store: NotifyStore, smtp: Any, name: str, due: Due) -> bool:
        """One attempt; True if the server took the mail. What it came to is in the file when this returns."""
        try:
            hand_over(smtp, self._settings.sender, name, due.body)
        except MailRefused as refused:
            again_s = None
            if not refused.for_good and due.attempts < len(AGAIN_S):
                again_s = AGAIN_S[due.attempts] * random.uniform(1.0, 1.1)
            again_ms = None if again_s is None else int(again_s * 1_000)
            store.note_missed(name, due.id, str(refused), again_ms=again_ms, pause_ms=0)
            log.warning("mail: one was not taken: %s", refused)
            reset(smtp)
            return False
        self._faults.point(AFTER_ACK, 1)
        store.note_told(name, due.id)
        return True
