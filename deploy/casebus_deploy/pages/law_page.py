"""The page docs/law.md: every rule of reconciliation, every clock, and the tables."""

from collections.abc import Iterable, Iterator

from casebus_schemas.law.clocks import Article, Begin, Clock, Condition, Version, clock_table, clocks
from casebus_schemas.rules.looks import WORDS
from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.rule import Rule
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.texts.symbols import FINDING_CLASSES, RULE_SCOPES, SEVERITIES, STEPS, title, word

from .law_tables import tables

_INTRODUCTION = """\
Generated from `schemas/casebus_schemas/rules` and `schemas/casebus_schemas/law`: change those, then run
`python -m casebus_deploy.pages.generated`. `casebus law show R30` and `casebus law show DL06` print the same.

A rule is a file named by its number. It looks at types of events, at fields of their data (`*.amounts`) or at
what the words below name; only an event that touches these can change its verdict. Its cases, with what must
be found and what just must not, are in `tests/rules`. Class, severity and law are those of the rule: where a
finding has its own law or severity, that of the finding counts. A rule that fails is itself a finding, R09,
and stops no other.
"""
_CLOCKS = """\
A clock starts with an event and runs for a limit, which may be counted in several admissible ways. `speaker`
and `addressees` are those of the starting event. *Not verified* marks a figure or a day that was not read in
the text of the law.
"""


def law_page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Rules and clocks by number"
    yield ""
    yield _INTRODUCTION
    yield "| word | what a rule looks at |"
    yield "|---|---|"
    for name, said in WORDS.items():
        yield f"| `{name}` | {_both(said)} |"
    yield ""
    yield "## Rules"
    yield ""
    yield from _contents((rule.id, rule.title) for rule in RULES.values())
    for rule in RULES.values():
        yield from _rule(rule)
    yield "## Clocks"
    yield ""
    yield _CLOCKS
    yield from _contents((clock.id, clock.title) for clock in clocks().values())
    for clock in clocks().values():
        yield from _clock(clock)
    yield from tables()
    yield "## Instruments"
    yield ""
    yield "| name | title | in force | |"
    yield "|---|---|---|---|"
    for name, text in clock_table().instruments.items():
        unsure = "" if text.verified else " (not verified)"
        kind = "law" if text.is_law else "no law"
        span = f"{text.in_force}" + ("" if text.until is None else f", before {text.until}")
        yield f"| `{name}` | {_both(text.title)} | {span}{unsure} | {kind} |"


def _contents(named: Iterable[tuple[str, Sentence]]) -> Iterator[str]:
    yield "| number | |"
    yield "|---|---|"
    for number, called in named:
        yield f"| [{number}](#{number.lower()}) | {_both(called)} |"
    yield ""


def _rule(rule: Rule) -> Iterator[str]:
    yield f"### {rule.id}"
    yield ""
    yield f"{_both(rule.title)}."
    yield ""
    yield "- scope: " + "; ".join(_both(word(RULE_SCOPES, scope)) for scope in rule.scopes)
    yield f"- class: {_both(word(FINDING_CLASSES, rule.cls))}"
    yield f"- severity: {_both(word(SEVERITIES, rule.severity))}"
    if rule.forbids:
        yield "- leaves no room: `check`, `publish` and the door refuse with the article what would be found"
    yield "- looks at: " + ", ".join(f"`{look}`" for look in rule.looks_at)
    if rule.law:
        yield "- law: " + "; ".join(map(_article, rule.law))
    yield f"- who acts: {_both(rule.acts)}"
    yield f"- what mends it: {_both(rule.mends)}"
    yield f"- closes: {_both(rule.closes)}"
    yield ""


def _clock(clock: Clock) -> Iterator[str]:
    yield f"### {clock.id}"
    yield ""
    yield f"{_both(clock.title)}." + (
        " A right: nobody is accused when it lapses." if clock.kind == "right" else ""
    )
    yield ""
    for begin in clock.begins:
        yield f"- starts: {_begin(begin)}"
    yield "- done by: " + _types(clock.duty)
    optional = (
        ("starts again with", _types(clock.restarted_by)),
        ("ends without it by", _types(clock.moot_by)),
        ("extended by", _types([clock.approval.type]) if clock.approval else ""),
        ("stands still from", _types(clock.suspension.begins) if clock.suspension else ""),
        ("goes on with", _types(clock.suspension.ends) if clock.suspension else ""),
        (
            "starts only after",
            f"{clock.absence.span} without {_types(clock.absence.of)}" if clock.absence else "",
        ),
        ("for", "each suspect" if clock.for_each_suspect else ""),
        ("at most", f"{clock.at_most} times" if clock.at_most else ""),
    )
    for what, said in optional:
        if said:
            yield f"- {what}: {said}"
    yield ""
    yield "| in force | step | limit | readings | approval needed | law |"
    yield "|---|---|---|---|---|---|"
    for version in clock.versions:
        yield from _version(version, clock)
    yield ""


def _absence(clock: Clock) -> str:
    return f"`{clock.absence.span}` without {_types(clock.absence.of)}" if clock.absence else ""


def _begin(begin: Begin) -> str:
    since = "its receipt" if begin.at_receipt else f"`{begin.field}`" if begin.field else "its time"
    conditions = " and ".join(
        [*map(_condition, begin.when), *([f"it answers {_types(begin.answers)}"] if begin.answers else [])]
    )
    when = f", if {conditions}" if conditions else ""
    if begin.unless_told:
        when += f", unless {' and '.join(begin.unless_told)} were told of it"
    after = f", since {begin.since}" if begin.since else ""
    before = f", until {begin.until}" if begin.until else ""
    parties = f"{begin.owed_by.text} → {begin.owed_to.text}"
    return f"{_types([begin.on])}, counted from {since}{when}{after}{before}; {parties}"


def _condition(condition: Condition) -> str:
    if condition.reaches:
        return condition.text
    if condition.field is None:
        return f"said by {condition.speaker}"
    return f"`{condition.field}` is " + " or ".join(str(value).lower() for value in condition.values)


def _version(version: Version, clock: Clock) -> Iterator[str]:
    until = version.until.isoformat() if version.until else ""
    unsure = "" if version.since_verified else " (not verified)"
    articles = (f"[{a.instrument}](#instruments) {a.article}" for a in version.source)
    law = ", ".join(articles) + ("" if version.verified else " (not verified)")
    for rung in version.rungs:
        needs = clock.needs(rung.needs)
        cells = (
            f"{version.since} – {until}{unsure}",
            _both(word(STEPS, rung.step)),
            f"`{rung.limit}`"
            + "".join(f", if {_condition(condition)}" for condition in rung.when)
            + (f", or to the day in `{version.last_day}`" if version.last_day else ""),
            ", ".join(f"`{reading}`" for reading in rung.readings),
            f"`{needs}`" if needs else "",
            law,
        )
        yield "| " + " | ".join(cells) + " |"


def _article(article: Article) -> str:
    named = clock_table().instruments[article.instrument].title
    return f"{named.zh} 第{article.article}条 · {named.en}, Art. {article.article}"


def _types(types: Iterable[str]) -> str:
    return ", ".join(f"`{type}` ({title(type).zh})" for type in types)


def _both(said: Sentence) -> str:
    return f"{said.zh} · {said.en}"
