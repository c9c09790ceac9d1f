"""`python -m casebus_services.router`: the router alone, settings from CASEBUS_* variables."""

import logging
import sys

from casebus_services.config import ServiceSettings

from .wiring import build_router

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    sys.exit(build_router(ServiceSettings()).run())  # type: ignore[call-arg]  # read from the environment
