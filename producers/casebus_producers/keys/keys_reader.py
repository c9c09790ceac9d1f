"""Reads the topics of key life, which everybody may read, into a keyring."""

from collections.abc import Sequence

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import key_topics

from ..config import KafkaLogin
from ..topic_reader import TopicReader


def read_keyring(login: KafkaLogin, catalog: Catalog, topics: Sequence[str] | None = None) -> Keyring:
    """The keys of all, or of these key topics, as they stand now. Raises RetryLater if the broker is away."""
    with TopicReader(login, topics or key_topics()) as reader:
        return Keyring(catalog).extend(reader.read_to(reader.ends()))
