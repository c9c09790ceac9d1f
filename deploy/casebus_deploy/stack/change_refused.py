"""The error of a cluster that refuses a change."""

from casebus_schemas.errors import BusError


class ChangeRefused(BusError):
    """The cluster answered a change with an error."""
