"""A penalty makes its chain kin of those in which its party is referred (R46): entered for stored ones."""

from casebus_schemas.case.kin import PENALISED
from casebus_services.reconciler.migrations.stored_kin import enter_stored

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Rows of recon_kin only, no table changes."""
    enter_stored((PENALISED,))
