"""What the router tells of its verdicts: how many, whose, why refused, who is told."""

from collections import Counter
from collections.abc import Sequence

from casebus_schemas.agencies import agency_of_topic
from casebus_services.metrics.named import counter, gauge

from .judgement import Judgement
from .set_aside import CODE

_JUDGED = counter("casebus_router_judged_total")
_NOTICES = counter("casebus_router_notices_total")
_SET_ASIDE = counter("casebus_router_set_aside_total")
_IGNORED_KEYS = gauge("casebus_router_ignored_key_events")


def judged(judgements: Sequence[Judgement]) -> None:
    """These records have got their verdicts."""
    verdicts = Counter((agency_of_topic(one.record.topic), one.verdict, one.code or "") for one in judgements)
    for (agency, verdict, code), number in verdicts.items():
        _JUDGED.labels(agency=agency, verdict=verdict, code=code).inc(number)
    told = Counter((who.agency, who.role) for one in judgements if one.admitted for who in one.recipients)
    for (agency, role), number in told.items():
        _NOTICES.labels(agency=agency, role=role).inc(number)
    _SET_ASIDE.inc(sum(one.code == CODE for one in judgements))


def named(judgement: Judgement) -> dict[str, str | None]:
    """What a log may say of one record: the event's id where its headers can be read, its place, the code."""
    record, headers = judgement.record, judgement.headers
    return {
        "event": None if headers is None else str(headers.id),
        "origin": f"{record.topic}/{record.partition}/{record.offset}",
        "code": judgement.code,
    }


def ignored_keys(number: int) -> None:
    """So many key events had no effect since the start."""
    _IGNORED_KEYS.set(number)
