"""R07: times that cannot be true, from which no term can be counted, and causes that form a circle."""

from collections.abc import Iterator

from casebus_schemas.case.obligations import Start
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency
from casebus_schemas.times import beijing_text

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import accounts_of

RULE = Rule(
    RuleId("R07"),
    title=Sentence("时间或因果不合情理", "times or causes that cannot be true"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("causes", "duties"),
    each="start",
    acts=Sentence("所述时间或因果有误的机关", "the agency that stated the time or the causes"),
    mends=Sentence("更正所述的时间", "a correction of the stated time"),
    closes=Sentence(
        "时间更正后;因果循环不自行关闭", "with the corrected time; a circle of causes never closes"
    ),
)


@RULE.over_case
def nonsense(case: Case) -> Iterator[Found]:
    """Circles of causes, and clocks that started outside the years in which a term can start."""
    # No event that only adds to a chain makes a circle.
    for cycle in case.folded.cycles if case.only is None else ():
        yield Found(
            subject="cycle",
            causes=(cycle[0], cycle[-1]),
            named_by=cycle[:1],
            accounts=accounts_of(cycle),
            because=Sentence(
                f"{len(cycle)}个事件互为因果,只能按时间排序",
                f"{len(cycle)} events claim to be each other's cause; they are ordered by their times only",
            ),
        )
    for start in case.started:
        if not start.countable:
            yield _uncountable(start)


def _uncountable(start: Start) -> Found:
    who = agency(start.cause.agency)
    return Found(
        subject=f"{start.clock.id}\n{start.cause.id}",
        causes=[start.cause],
        accounts=[account(start.cause, {"started_at": beijing_text(start.at)})],
        law=start.version.source,
        because=Sentence(
            f"{who.zh}所述的起算时间{start.at:%Y-%m-%d}不合情理,无法计算期限{start.clock.title.zh}({start.clock.id})",
            f"{who.en} states {start.at:%Y-%m-%d}, from which the term to {start.clock.title.en} "
            f"({start.clock.id}) cannot be counted",
        ),
    )
