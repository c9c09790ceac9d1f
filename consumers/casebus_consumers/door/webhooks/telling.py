"""Tells the agency's own systems of notices and receipts by signed webhooks, again until they acknowledge."""

import logging
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from email.utils import mktime_tz, parsedate_tz
from hashlib import sha256
from pathlib import Path
from threading import Event

from casebus_consumers.own.store import NOTICE, Heading, OwnStore
from casebus_producers.faults import PublisherFaults
from casebus_schemas.errors import BusError, RetryLater
from casebus_schemas.times import utc_text
from casebus_schemas.wire.json_text import canonical, canonical_text

from ..deliveries import Due, Message
from ..following import Follower
from ..outbound import Answer, Outbound
from ..said import Said
from .signing import signature
from .store import Address, WebhookStore

TIMEOUT_S = 15.0
"""Of one call, all in all; the specification advises 15 to 30."""
AGAIN_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""When the next attempt comes, as the specification's example has it: ten in some three days."""
LONGEST_PAUSE_S = 300.0
"""An address that fails is left alone for so long at most: what waits uses up no attempts meanwhile."""
MOST_AT_ONCE = 8
"""Addresses that are called at a time."""
AFTER_ACK = "webhooks.after-ack"
"""The address has acknowledged, the file does not know it yet."""
_LOOK_S = 0.5
_TAKE = 500
_RUN = 50
"""Messages of one address in a run: then others have their turn."""
_ALARM = 3
"""So many failed calls in a row are told as an ailment of the door."""
log = logging.getLogger(__name__)


class Webhooks(Follower):
    """Takes notices and receipts into the file of messages and tells them. Each address has its own pace.

    At least once: a process that is killed after an acknowledgement tells that message again with the same
    `webhook-id` and the same bytes. What the file knows to be acknowledged is never told again.
    """

    def __init__(
        self,
        name: str,
        stop: Event,
        file: Path,
        heard: OwnStore,
        said: Said,
        outbound: Outbound,
        *,
        faults: PublisherFaults | None = None,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        super().__init__(name, stop)
        self._file = file
        self._heard = heard
        self._said = said
        self._outbound = outbound
        self._faults = faults or PublisherFaults()
        self._clock_ms = clock_ms
        self._woken = Event()
        self._kept: WebhookStore | None = None
        self._runs: dict[str, Future[None]] = {}

    def wake(self) -> None:
        """Says that something was heard or came back."""
        self._woken.set()

    def follow(self) -> None:
        """Takes and tells."""
        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            while not self._stop.is_set():
                self._woken.clear()
                if (store := self._store()) is not None:
                    self.step(store, pool)
                else:
                    self.well()
                self._woken.wait(_LOOK_S)

    def step(self, store: WebhookStore, pool: ThreadPoolExecutor) -> None:
        """One look: takes what is new, and begins a run of each address of which something is due."""
        addresses = store.addresses()
        for address in addresses:
            self.take(store, address)
        for name in [name for name, run in self._runs.items() if run.done()]:
            self._runs.pop(name).result()
        for address in addresses:
            if address.gone or address.name in self._runs or address.paused_until_ms > store.now_ms():
                continue
            if store.due(address.name) is not None:
                self._runs[address.name] = pool.submit(self.run_of, store, address)
        ill = [f"{one.name} {one.state}" for one in addresses if one.gone or one.failures >= _ALARM]
        self.well()
        if ill:
            self.problem = "webhooks: " + ", ".join(ill)

    def _store(self) -> WebhookStore | None:
        """The file, once somebody has added an address."""
        if self._kept is None and self._file.exists():
            self._kept = WebhookStore(self._file, self._clock_ms)
        return self._kept

    # --- taking ------------------------------------------------------------------------------------------

    def take(self, store: WebhookStore, address: Address) -> None:
        """Keeps what came behind the places of an address as messages."""
        events = address.events.split(",")
        after = address.inbox_seq
        if after >= 0 and not self._heard.holds(after, address.inbox_notice):
            # The inbox was read anew, as after an older Kafka was put back: what was told is known by its id.
            log.warning("webhooks: %s begins again with the inbox", address.name)
            after = -1
        while found := self._heard.headings(after, _TAKE):
            messages = [_of_notice(one) for one in found] if "notice.arrived" in events else []
            after = found[-1].seq
            store.take(address.name, messages, inbox=(after, found[-1].notice))
        after = address.receipt_seq
        while receipts := self._said.after(after, _TAKE):
            told = [one for one in receipts if f"receipt.{one['stage']}" in events]
            after = receipts[-1]["seq"]
            store.take(address.name, [_of_receipt(one) for one in told], receipts=after)

    # --- telling -----------------------------------------------------------------------------------------

    def run_of(self, store: WebhookStore, address: Address) -> None:
        """Tells one address what is due, until something fails."""
        for _ in range(_RUN):
            due = store.due(address.name)
            if due is None or self._stop.is_set() or not self.attempt(store, address, due):
                break
        self.wake()

    def attempt(self, store: WebhookStore, address: Address, due: Due) -> bool:
        """One call; True if it was acknowledged. What it came to is in the file when this returns."""
        retry_after_s, gone = None, False
        try:
            answer = self._call(address, due)
        except BusError as error:
            problem = error.detail
            if not isinstance(error, RetryLater):
                log.warning("webhooks: %s is not called: %s", address.name, problem)
        else:
            if 200 <= answer.status < 300:
                self._faults.point(AFTER_ACK, 1)
                store.note_told(address.name, due.id)
                return True
            problem, gone = f"HTTP {answer.status}", answer.status == 410
            retry_after_s = _retry_after(answer.headers, self._clock_ms() / 1_000)
        again_s = float(AGAIN_S[due.attempts]) if due.attempts < len(AGAIN_S) else None
        pause_s = retry_after_s if retry_after_s is not None else _pause(address.failures)
        if again_s is not None:
            again_s = max(again_s * random.uniform(1.0, 1.1), retry_after_s or 0)
        store.note_missed(
            address.name,
            due.id,
            problem,
            again_ms=None if again_s is None else int(again_s * 1_000),
            pause_ms=int(pause_s * 1_000),
            gone=gone,
        )
        log.warning("webhooks: %s was not told: %s", address.name, problem)
        return False

    def _call(self, address: Address, due: Due) -> Answer:
        timestamp_s = self._clock_ms() // 1_000
        signed = [
            signature(secret, due.id, timestamp_s, due.body) for secret in address.secrets(self._clock_ms())
        ]
        headers = {
            "content-type": "application/json",
            "user-agent": "casebus-door",
            "webhook-id": due.id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": " ".join(signed),
        }
        return self._outbound.post(address.url, headers, due.body, TIMEOUT_S)


def _pause(failures: int) -> float:
    return min(float(AGAIN_S[0]) * 2**failures if failures < 10 else LONGEST_PAUSE_S, LONGEST_PAUSE_S)


def _retry_after(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds that an answer asks for, a day at most; None where it asks for none."""
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        found = float(text[:9])
    else:
        date = parsedate_tz(text)
        if date is None:
            return None
        found = mktime_tz(date) - now_s
    return min(max(found, 0.0), float(AGAIN_S[-1]))


def _of_notice(one: Heading) -> Message:
    """A record of the inbox as it is told: that it is there and where, and nothing of what it says."""
    true = one.kind == NOTICE
    known = {"id": one.notice, "type": one.type, "chain": one.chain} if true else {"problem": one.kind}
    link = f"/v1/inbox?after={one.seq - 1}&limit=1"
    name = f"notice_{one.notice}" if true else f"inbox_{one.seq}_{one.kind}"
    return _message(name, "notice.arrived", one.admitted_at_ms, {**known, "seq": one.seq, "link": link})


def _of_receipt(receipt: Mapping[str, object]) -> Message:
    event = receipt["event"]
    assert isinstance(event, dict)
    told = {"id": event["id"], "type": event["type"], "chain": event["chain"], "seq": receipt["seq"]}
    id = event["id"]
    after = int(str(receipt["seq"])) - 1
    link = f"/v1/receipts?after={after}&limit=1" if id is None else f"/v1/receipts/{id}"
    # The bus may say the same receipt twice after a crash; an event that is judged again has another one.
    content = sha256(canonical({**receipt, "seq": 0})).hexdigest()[:32]
    name = f"receipt_{content}"
    return _message(name, f"receipt.{receipt['stage']}", None, {**told, "link": link})


def _message(id: str, type: str, at_ms: int | None, data: Mapping[str, object]) -> Message:
    timestamp = utc_text(time.time_ns() // 1_000_000 if at_ms is None else at_ms)
    return Message(id, canonical_text({"type": type, "timestamp": timestamp, "data": data}))
