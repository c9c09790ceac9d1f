"""What a look over all chains found is entered and said once, and what holds no more is closed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.finding import Finding
from casebus_services.streams.faults import fault_point

from .accounts_database import Database
from .announce import Announcer
from .compared import ends_in
from .hearing import Turn
from .rows import NOT_CLOSED_OF, finding_row, found_before
from .store import Work
from .turns import turns_said


@dataclass(frozen=True, slots=True)
class WholeLook:
    """Under which fence a look speaks, of which kind its findings are, and in which table its ends stand."""

    fence: int
    kind: str
    table: str


def enter(
    look: WholeLook,
    database: Database,
    catalog: Catalog,
    announcer: Announcer,
    incarnation: int,
    findings: Iterable[Finding],
    ends: Mapping[int, int],
    latest: datetime | None,
) -> bool:
    """Enters the findings of all that stood before `ends`, and that the rest is mended, in one transaction.

    `latest` is when the last event that was read was admitted. Gives whether something is to be said of it;
    nothing is entered where another worker has looked further.
    """
    now = {finding.id: finding for finding in findings}
    with database.writing() as transaction:
        work = Work(transaction, catalog)
        fence = work.fences([look.fence], incarnation)[look.fence]
        looked = ends_in(transaction, look.table)
        if any(ends.get(partition, 0) < end for partition, end in looked.items()):
            return False
        not_closed = map(found_before, transaction.rows(NOT_CLOSED_OF, (look.kind,)))
        before = {**work.found_before(now), **{known.id: known for known in not_closed}}
        mended = {id: replace(known, state="closed") for id, known in before.items() if id not in now}
        turns = [
            Turn(known, finding)
            for id, finding in sorted({**now, **mended}.items())
            if (known := before.get(id)) is None or known.to_row() != finding.to_row()
        ]
        work.save_links([finding_row(turn.now, (look.kind, turn.now.chain)) for turn in turns])
        waiting = work.say(fence, announcer, turns_said(turns, catalog, latest))
        transaction.many(
            f"INSERT INTO {look.table} VALUES (?,?) ON CONFLICT (bus_partition) "
            "DO UPDATE SET next_offset = excluded.next_offset",
            sorted(ends.items()),
        )
        work.release([fence])
        fault_point("reconciler.before-commit", len(turns))
    return bool(waiting)
