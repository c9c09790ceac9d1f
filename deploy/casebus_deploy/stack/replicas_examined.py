"""Whether each record of a replicated cluster stands where it should: what the doctor says of it."""

from collections.abc import Iterator
from contextlib import closing

from casebus_schemas.catalogue.topology import OPERATOR, in_sync_replicas
from casebus_schemas.connection import Connection

from .examined import Examined

_REMEDY = "see which node of Kafka is away, and why; it catches up by itself"


def replicas_examined(connection: Connection) -> Iterator[Examined]:
    """One line where topics have several replicas, none for a single broker."""
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    from casebus_producers.config import KafkaLogin

    login = KafkaLogin.read(OPERATOR, connection).kafka() | {"bootstrap_timeout_ms": 3_000}
    login.pop("allow_auto_create_topics", None)  # a consumer's word only
    try:
        with closing(KafkaAdminClient(**login)) as admin:
            described = admin.describe_topics()
    except KafkaError as error:
        yield Examined("replicas", "warn", f"not seen: {type(error).__name__}")
        return
    counts = [
        (len(partition["replica_nodes"]), len(partition["isr_nodes"]))
        for topic in described
        if not topic["is_internal"]
        for partition in topic["partitions"]
    ]
    most = max((replicas for replicas, _ in counts), default=1)
    if most == 1:
        return
    thin = sum(in_step < replicas for replicas, in_step in counts)
    stopped = sum(in_step < int(in_sync_replicas(replicas)) for replicas, in_step in counts)
    if stopped:
        found = f"{stopped} partitions take no records: too few replicas are in step"
        yield Examined("replicas", "bad", found, _REMEDY)
    elif thin:
        yield Examined("replicas", "warn", f"{thin} partitions lack a replica in step", _REMEDY)
    else:
        yield Examined("replicas", "ok", f"{most} of each record, all in step")
