"""The whole topology of the bus on a broker that a test started."""

from pathlib import Path

from kafka import KafkaAdminClient

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.stack.topics_admin import Wanted, apply


def lay_out(broker: EmbeddedBroker, folder: Path) -> Path:
    """Makes topics (N = 4), logins and access rules; the folder then has a `<principal>.password` each."""
    admin = KafkaAdminClient(**broker.admin_settings(), bootstrap_timeout_ms=10_000)
    try:
        apply(admin, Wanted.of_bus(4), folder)
    finally:
        admin.close()
    return folder
