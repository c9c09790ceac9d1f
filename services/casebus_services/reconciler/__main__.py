"""`python -m casebus_services.reconciler`: the reconciler alone, settings from CASEBUS_* variables."""

import sys

from casebus_services.config import ServiceSettings
from casebus_services.log_lines import log_lines

from .wiring import build_reconciler

if __name__ == "__main__":
    log_lines()
    sys.exit(build_reconciler(ServiceSettings()).run())  # type: ignore[call-arg]  # read from the environment
