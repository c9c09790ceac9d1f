"""Reads one partition of what the bus delivers and the key topics that prove it, over one connection."""

from collections.abc import Iterable

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.records import Record, TopicPartition

from ..config import KafkaLogin
from ..topic_reader import TopicReader


class ProvingReader(TopicReader):
    """A reader of one place, from an offset or its beginning; `poll` gives its records alone.

    What comes of the key topics is taken into the keyring. Raises AccessDenied and RetryLater as TopicReader
    does.
    """

    def __init__(
        self,
        login: KafkaLogin,
        catalog: Catalog,
        place: TopicPartition,
        key_topics: Iterable[str],
        start: int | None,
    ) -> None:
        """`start` None begins at the first record."""
        self._catalog = catalog
        self._keyring = Keyring(catalog)
        self._place = place
        super().__init__(login, [place.topic, *key_topics], None if start is None else {place: start})

    @property
    def keyring(self) -> Keyring:
        """The keys as they were read last."""
        return self._keyring

    def poll(self, timeout_s: float) -> list[Record]:
        """New records of the place; what has come of keys is taken into the keyring."""
        found = super().poll(timeout_s)
        keys = [record for record in found if record.topic != self._place.topic]
        if not keys:
            return found
        self._keyring = self._keyring.extend(keys)
        return [record for record in found if record.topic == self._place.topic]

    def shorter(self, position: int) -> BusError:
        """What to say of a position of ours that lies beyond the place's end."""
        return BusError(
            "Kafka is shorter than what was read of it: an older copy was put back",
            found=f"the end of {self._place.topic} at {self.ends()[self._place]}",
            expected=f"at least {position}",
            remedy="ask the operator; if it stays so, `casebus outbox --resend` goes on with what it holds",
        )

    def gap(self, start: int) -> Sentence | None:
        """What cannot be read from a number on: Kafka has deleted the beginning, or ends before it."""
        first, end = self.first()[self._place], self.ends()[self._place]
        if start > end:
            return Sentence(
                f"{self._place.topic} 只到 {end - 1} 号,没有 {start - 1} 号",
                f"{self._place.topic} ends at number {end - 1}: there is no {start - 1} to go on behind",
            )
        if start < first:
            return Sentence(
                f"{self._place.topic} 自 {first} 号起,此前的已不存",
                f"{self._place.topic} begins at number {first}: what stood before is gone",
            )
        return None

    def catch_up_keys(self) -> int:
        """Reads the key topics to their ends; gives where the place ended before that."""
        ends = self.ends()
        last = ends.pop(self._place)
        self.pause([self._place])
        for _ in self.read_to(ends):
            pass  # `poll` keeps them
        self.resume([self._place])
        return last
