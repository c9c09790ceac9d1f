"""The environment with which a stack starts its services: little, so that none depends on a shell."""

import os
from pathlib import Path

SETTINGS = ("CASEBUS_WEB_HOSTS", "CASEBUS_SETTINGS_FILE", "CASEBUS_LOG_FORMAT", "CASEBUS_TRACES_ENDPOINT")
"""Settings of whoever starts a stack that count for all its services."""
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH", *SETTINGS)


def base_env(connection_file: Path) -> dict[str, str]:
    """What every service gets: where the bus is, and the settings that count for all."""
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return env | {"CASEBUS_CONNECTION": str(connection_file), "PYTHONUNBUFFERED": "1"}
