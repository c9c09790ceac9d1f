"""The administrator of a running bus's cluster: the embedded broker's, or whom the environment names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from casebus_deploy.embedded.broker_properties import ADMIN
from casebus_schemas.connection import Connection
from casebus_schemas.errors import RetryLater, UsageError


@contextmanager
def cluster_admin(connection: Connection, file: Path, why: str) -> Iterator[Any]:
    """A KafkaAdminClient for the bus whose connection.json is `file`.

    Raises UsageError, beginning with `why`, if the cluster has no administrator of ours, RetryLater if it
    does not do what is asked.
    """
    embedded = file.parent / "broker" / "admin.password"
    name = os.environ.get("CASEBUS_ADMIN_USERNAME", ADMIN)
    password = Path(os.environ.get("CASEBUS_ADMIN_PASSWORD_FILE", embedded))
    if not password.is_file():
        raise UsageError(
            why,
            found=f"no password of its administrator at {password}",
            expected="the embedded broker, or CASEBUS_ADMIN_USERNAME and CASEBUS_ADMIN_PASSWORD_FILE",
        )
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=connection.bootstrap_servers,
            security_protocol=connection.security_protocol,
            ssl_cafile=str(connection.ca_file) if connection.ca_file else None,
            sasl_mechanism="SCRAM-SHA-512",
            sasl_plain_username=name,
            sasl_plain_password=password.read_text(encoding="utf-8").strip(),
            bootstrap_timeout_ms=10_000,
        )
        try:
            yield admin
        finally:
            admin.close()
    except KafkaError as error:
        raise RetryLater("the cluster's administration does not do it", found=type(error).__name__) from error
