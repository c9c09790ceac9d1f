"""The notifier of a door, where the agency has set one up."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from casebus_consumers.desk.board import CaseLine
from casebus_consumers.door.door import Door
from casebus_producers.config import AgencySettings
from casebus_producers.faults import PublisherFaults
from casebus_schemas.catalogue.catalog import Catalog

from .notifier import Notifier
from .settings import NotifySettings
from .store import notify_file

NAME = "mail"
Cases = Callable[[datetime], Mapping[str, CaseLine]]


def put_beside(
    door: Door,
    settings: AgencySettings,
    catalog: Catalog,
    cases: Cases,
    now: Callable[[], datetime],
    *,
    desk_url: str | None,
    faults: PublisherFaults | None = None,
) -> bool:
    """Gives a door its notifier, before it starts; False where there is no notify.yaml. Raises UsageError."""
    own = NotifySettings.read(settings.data_dir)
    if own is None:
        return False
    if own.desk is None and desk_url is not None:
        own = replace(own, desk=desk_url.rstrip("/"))
    door.beside(
        NAME,
        lambda name, stop: Notifier(
            name,
            stop,
            notify_file(settings.data_dir),
            own,
            door.agency,
            door.store,
            lambda at: (duty for line in cases(at).values() for duty in line.duties),
            now,
            catalog,
            faults=faults,
        ),
    )
    return True
