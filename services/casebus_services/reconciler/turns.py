"""What is said of findings that no chain shows by itself: each turn once to its hearers. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import to_moment

from .announce import Said, said
from .hearing import Announcement, Turn, findings_said


def turns_said(turns: Iterable[Turn], catalog: Catalog, latest: datetime | None) -> list[Said]:
    """What is to be said of findings that opened, changed or closed; `latest` is when the last event came."""
    return [
        one
        for turn in turns
        for words in _announcements(turn, latest or turn.now.opened_at)
        for one in said(words, catalog)
    ]


def _announcements(turn: Turn, latest: datetime) -> Iterator[Announcement]:
    """Each turn is said once to its hearers: what was mended may be wrong again."""
    again = turn.before is not None and "closed" in (turn.before.state, turn.now.state)
    for one in findings_said([turn], turn.now.chain, None, latest):
        at = f"\n{to_moment(latest)}" if again else ""
        yield replace(one, subject=f"{one.subject}\nto {','.join(one.to)}{at}", causes=())
