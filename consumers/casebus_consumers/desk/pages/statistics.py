"""Statistics: what this agency's events count up to, each figure with the events that it rests on."""

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Page
from casebus_consumers.desk.shown.statistics import MOST_PERIODS, chart_of, rows_of, source_rows
from casebus_schemas.errors import UsageError
from casebus_schemas.statistics.figures import Figure, Versions, figure
from casebus_schemas.statistics.measures import MEASURES, find_measure
from casebus_schemas.statistics.periods import Period, usual_periods
from casebus_schemas.statistics.scopes import Scope, find_scope, law_version, scopes
from casebus_schemas.statistics.tally import Tally
from casebus_schemas.texts.errors import detail_in_chinese

_WAIT_S = 1.0
_FIRST = "cases_referred"


def show(asked: Asked) -> Response:
    """Figures by period with a chart; with a period the events behind that figure."""
    w = asked.words
    measure = find_measure(asked.query("measure", tuple(MEASURES)) or _FIRST)
    wrong, scope, chosen = None, scopes()["any"], None
    try:
        scope = find_scope(asked.query("scope") or "any")
        chosen = Period.parse(asked.query("period") or "") if asked.query("period") else None
    except UsageError as error:
        wrong = (detail_in_chinese(error) if w.language == "zh" else None) or error.detail
    seen = asked.desk.tally.seen(_WAIT_S)
    found: list[Figure] = []
    of_chosen = None
    if (tally := seen.value) is not None:
        versions = Versions(asked.desk.catalog.version, law_version())
        for period in _periods(tally, measure.id, scope):
            found.append(figure(tally, measure, period, scope, versions))
        if chosen is not None:
            of_chosen = figure(tally, measure, chosen, scope, versions)
    rows = rows_of(found, w)
    return asked.page(
        "statistics.html",
        measure=measure,
        measures=list(MEASURES.values()),
        scope=scope,
        scopes=list(scopes().values()),
        wrong=wrong,
        under_way=seen.under_way and seen.value is None,
        rows=rows,
        chart=chart_of(rows, w),
        chosen=of_chosen,
        sources=[] if of_chosen is None else source_rows(of_chosen, asked),
        most=MOST_PERIODS,
    )


def _periods(tally: Tally, measure: str, scope: Scope) -> list[Period]:
    """Half-years that hold something, the years that they fill, and all together; the newest of them."""
    items = tally.items(MEASURES[measure])
    return usual_periods([one.on for one in items if one.counts and scope.holds(one.charges)])[-MOST_PERIODS:]


PAGES = (Page("/audit/statistics", "audit", show),)
