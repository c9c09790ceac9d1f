"""One key, one purpose: no key that the bus has announced signs or cosigns checkpoints."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import BUS_KEY
from casebus_schemas.errors import BusError, StopService
from casebus_schemas.wire.codec import decode


def check_purposes(connection: Connection, purposes: Mapping[bytes, str]) -> bool:
    """Looks at every key on bus.key, as the ledger has it; whether there is any.

    `purposes` are public keys and what they are for. Raises StopService naming a key that is for both. The
    agencies' topics are not looked at: what a member announces must not be able to stop the sealer.
    """
    values = [row.value for row in connection.execute(_OF_BUS, {"topic": BUS_KEY}) if row.value is not None]
    catalog = Catalog.load() if values else None
    for value in values:
        assert catalog is not None
        try:
            _, data = decode(catalog, bytes(value))
        except (BusError, ValueError):  # whatever else stands there announces nothing
            continue
        if (purpose := purposes.get(data.get("public_key", b""))) is not None:
            also = f"a key of {data['holder']} with the role {data['role']} on {BUS_KEY}"
            raise StopService(
                "nothing is sealed: one key for two purposes",
                found=f"{purpose} is {also}, too",
                expected="a key of its own for each purpose",
                remedy="let the service make another key (docs/how-to/rotate-keys.md), and start again",
            )
    return bool(values)


_OF_BUS = text(
    "SELECT (SELECT value FROM payload p WHERE p.value_sha256 = e.value_sha256) AS value FROM entry e "
    "WHERE log_id IN (SELECT log_id FROM log WHERE topic = :topic) ORDER BY log_id, idx"
)
