"""A rule or a clock on the screen, as `casebus law show` prints it."""

from collections.abc import Iterator

from casebus_schemas.law.clocks import Clock, clock_table
from casebus_schemas.rules.looks import WORDS
from casebus_schemas.rules.rule import Rule
from casebus_schemas.texts.symbols import FINDING_CLASSES, RULE_SCOPES, SEVERITIES, shown, title


def rule_lines(rule: Rule) -> Iterator[str]:
    """The head of a rule: what it looks at, on which law it rests, who should do what, when it closes."""
    yield f"{rule.id}  {rule.title.text}"
    scopes = ", ".join(shown(RULE_SCOPES, scope) for scope in rule.scopes)
    yield f"  范围 scope       {scopes}"
    yield f"  类别 class       {shown(FINDING_CLASSES, rule.cls)}"
    yield f"  程度 severity    {shown(SEVERITIES, rule.severity)}"
    if rule.forbids:
        yield "  禁止 forbids     发出前即予拒绝 refused before it is sent, with the article"
    for look in rule.looks_at:
        yield f"  着眼 looks at    {look}  {_look(look)}".rstrip()
    known = clock_table().instruments
    for article in rule.law:
        name = known[article.instrument].title
        yield f"  依据 law         {name.zh} 第{article.article}条 {name.en}, Art. {article.article}"
    yield f"  处理 who acts    {rule.acts.text}"
    yield f"  更正 mended by   {rule.mends.text}"
    yield f"  关闭 closes      {rule.closes.text}"


def _look(look: str) -> str:
    if look in WORDS:
        return WORDS[look].text
    return "" if look.startswith("*.") else title(look).text


def clock_lines(clock: Clock) -> Iterator[str]:
    """A clock: what starts it, who owes what, its limits and sources."""
    yield f"{clock.id}  {clock.title.text}"
    for begin in clock.begins:
        since = "receipt" if begin.at_receipt else begin.field or "time"
        yield f"  起算 starts on   {begin.on}, {since}  ({begin.owed_by.text} → {begin.owed_to.text})"
        conditions = [condition.text for condition in begin.when]
        conditions += [f"answers {' | '.join(begin.answers)}"] * bool(begin.answers)
        conditions += [f"not told to {' and '.join(begin.unless_told)}"] * bool(begin.unless_told)
        days = [f"since {begin.since}"] * bool(begin.since) + [f"until {begin.until}"] * bool(begin.until)
        if conditions or days:
            yield f"    条件 if         {', '.join((*conditions, *days))}"
    kind = "权利 right       " if clock.kind == "right" else "义务 duty        "
    yield f"  {kind}{' | '.join(clock.duty)}"
    known = clock_table().instruments
    for version in clock.versions:
        until = version.until.isoformat() if version.until else "…"
        mark = "" if version.verified else "  未核实 not verified"
        yield f"  施行 in force    {version.since.isoformat()} – {until}{mark}"
        for rung in version.rungs:
            needs = f"  需批准 needs approval: {rung.needs}" if rung.needs else ""
            yield f"    {rung.step:<14} {rung.limit}{needs}  {', '.join(rung.readings)}"
        if version.last_day:
            yield f"    或至 or to the day in {version.last_day}"
        for article in version.source:
            if not known[article.instrument].is_law:
                yield f"    依据 source     {known[article.instrument].title.text}"
                continue
            yield f"    依据 source     {article.instrument} 第{article.article}条 Art. {article.article}"
