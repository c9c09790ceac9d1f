"""What time it is on the bus: real, or what the last `clock.set` of a simulated bus says."""

import time
from datetime import datetime

from casebus_schemas.connection import Connection
from casebus_schemas.times import to_datetime


def bus_now(connection: Connection | None) -> datetime:
    """The bus's time, aware UTC. Asks Kafka only for a bus with a simulated clock.

    Raises RetryLater if that broker is away.
    """
    if connection is None or not connection.simulated_clock:
        return to_datetime(time.time_ns() // 1_000_000)
    return _as_set(connection)


def _as_set(connection: Connection) -> datetime:
    from casebus_producers.config import KafkaLogin
    from casebus_producers.keys.keys_reader import read_keyring
    from casebus_producers.topic_reader import TopicReader
    from casebus_schemas.catalogue.catalog import Catalog
    from casebus_schemas.catalogue.topology import AUDITOR, BUS_KEY, COMMAND
    from casebus_services.clock import BusClock
    from casebus_services.clock_commands import ClockCommands

    clock, login, catalog = BusClock(simulated=True), KafkaLogin.read(AUDITOR, connection), Catalog.load()
    keyring = read_keyring(login, catalog, (BUS_KEY,))
    with TopicReader(login, (COMMAND,)) as reader:
        ClockCommands(clock, catalog, lambda: keyring).follow(reader.read_to(reader.ends()))
    return to_datetime(clock.now_ms())
