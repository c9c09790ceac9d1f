"""`python -m casebus_services.reconciler`: the reconciler alone, settings from CASEBUS_* variables."""

import logging
import sys

from casebus_services.config import ServiceSettings

from .wiring import build_reconciler

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    sys.exit(build_reconciler(ServiceSettings()).run())  # type: ignore[call-arg]  # read from the environment
