"""`python -m casebus_services.router`: the router alone, settings from CASEBUS_* variables."""

import sys

from casebus_services.config import ServiceSettings
from casebus_services.log_lines import log_lines

from .wiring import build_router

if __name__ == "__main__":
    log_lines()
    sys.exit(build_router(ServiceSettings()).run())  # type: ignore[call-arg]  # read from the environment
