"""What the accounts' tables are: made and changed by the revisions in `migrations`.

`recon_admission` and `recon_event` are insert-only and come from bus.admission; accounts, findings and
obligations follow from them (`casebus rebuild` proves it); outbox and streams do not and are backed up.
"""

from pathlib import Path

from casebus_services.migrating import Revisions

SQLITE = "sqlite"
POSTGRES = "postgresql"

REVISIONS = Revisions(
    of="accounts'",
    folder=Path(__file__).parent / "migrations",
    version_table="recon_revision",
    head="0013",
    numbered="recon_schema",
)
