"""Statistics for people: lines for figures, ratios, restatements and comparisons."""

from collections.abc import Iterable, Iterator

from casebus_schemas.statistics.comparison import Published
from casebus_schemas.statistics.figures import Figure, Source
from casebus_schemas.statistics.ratios import Ratio
from casebus_schemas.statistics.restatements import Restatement
from casebus_schemas.times import beijing_text


def figure_lines(figure: Figure, change: Ratio | None = None, *, lineage: bool = False) -> Iterator[str]:
    """A figure with all that it means; the change against the year before where there is one."""
    unit = figure.measure.unit.label.zh
    grown = f"  {change.text} 基数 base {change.below.value}" if change else ""
    yield f"{figure.cohort.period.text:<24} {figure.value:>6} {unit}{grown}"
    yield f"    {figure.measure.title.text} | 口径 scope {_scope(figure)} | 归入 by {figure.cohort.by}"
    events = f"{len(figure.sources)} 事件 events {figure.source_set.hex()[:16]}"
    yield f"    版本 version {figure.version} | {events}"
    if lineage:
        yield from (f"    {line}" for line in source_lines(figure.sources))


def note_lines(figures: Iterable[Figure]) -> Iterator[str]:
    """What readers must know of these figures, each note once."""
    notes = {note.text.text: note for figure in figures for note in figure.notes}
    for text, note in sorted(notes.items()):
        listed = ", ".join(digest.hex()[:12] for digest in note.events[:5])
        more = f" … {len(note.events)}" if len(note.events) > 5 else ""
        yield f"注 note  {text}{': ' + listed + more if listed else ''}"


def source_lines(sources: Iterable[Source]) -> Iterator[str]:
    """One line for each event of a lineage: when, what, by whom, what it does, how many it puts in."""
    for source in sources:
        event = source.event
        yield (
            f"{beijing_text(event.occurred_at)[:10]}  {event.digest.hex()[:16]}  {event.type:<28} "
            f"{event.agency}  {source.role:<10} {source.adds:>+4}"
        )


def ratio_lines(ratio: Ratio, *, lineage: bool = False) -> Iterator[str]:
    """The per cent, both figures, and the mark under which it was let through."""
    yield ratio.text
    if ratio.mark:
        yield f"  标注 marked: {ratio.mark}"
        yield from (f"  {objection.rule.id}  {objection.text.text}" for objection in ratio.objections)
    for figure in (ratio.above, ratio.below):
        yield from (f"  {line}" for line in figure_lines(figure, lineage=lineage))
    yield from (f"  {line}" for line in note_lines((ratio.above, ratio.below)))


def restatement_lines(restatement: Restatement) -> Iterator[str]:
    """Before, after and the causes; nothing where nothing changed."""
    before, after = restatement.before, restatement.after
    if not restatement.changed and not restatement.causes:
        return
    yield (
        f"    重述 restated: {before.value} → {after.value} "
        f"({before.version} → {after.version}), {len(restatement.causes)} 原因 causes"
    )
    yield from (f"      {line}" for line in source_lines(restatement.causes))


def published_lines(published: Published) -> Iterator[str]:
    """Each published figure beside the recomputed ones, then the findings."""
    for each in published.comparisons:
        body = each.to_json()
        if each.findings:
            word = "不符 differs"
        elif each.now is None:
            word = "未比对 not compared"
        else:
            word = "已被取代 superseded" if body["superseded"] else "相符 equal"
        yield (
            f"{body['by']} {body['ref']:<4} {body['measure']} {body['period']} {body['scope']}: "
            f"公布 stated {body['stated']}, 当时 then {body['recomputed_as_of'] or '–'}, "
            f"现在 now {body['recomputed_now'] or '–'}  {word}"
        )
    for finding in published.findings:
        yield f"{finding.rule}  {finding.severity}  {finding.because.text}"


def _scope(figure: Figure) -> str:
    scope = figure.scope
    crimes = "" if scope.crimes is None else f" ({scope.crimes} 罪 crimes)"
    return f"{scope.label.text}{crimes}"
