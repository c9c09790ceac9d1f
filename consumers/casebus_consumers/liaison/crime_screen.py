"""A crime as `casebus law show` prints it: names, numbers, standards for filing, laundering of its gains."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, get_args

from casebus_schemas.law.charges import Crime
from casebus_schemas.law.clocks import clock_table
from casebus_schemas.law.predicates import Gains, crime_of
from casebus_schemas.law.thresholds import thresholds
from casebus_schemas.texts.symbols import BASES, GAINS, figure, in_both, shown, word

_UNVERIFIED = "未核实 not verified"


def crime_lines(crime: Crime) -> Iterator[str]:
    """Its article and names, its numbers, from which amounts on it is filed, what laundering its gains is."""
    yield f"{crime.article}  {crime.title.text}"
    if crime.codes:
        yield f"  编号 numbers     {', '.join(crime.codes)}  {_UNVERIFIED}"
    for text in thresholds().get(crime.article, ()):
        name, mark = clock_table().instruments[text.source.instrument].title, _mark(verified=text.verified)
        days = f"{text.since} – {text.until or '…'}"
        yield f"  立案 standard    {days}{mark}  {name.zh} 第{text.source.article}条"
        yield f"    其一 any of     {_figures(text.plain)}"
        if text.aggravated:
            yield f"    并有情节 with an aggravation  {_figures(text.aggravated)}"
    for gains in get_args(Gains):
        if (found := crime_of(crime.article, gains)) is not None:
            called = found.article or "不另成罪 no crime of its own"
            yield f"  洗钱 laundering  {shown(GAINS, gains)}: {called}{_mark(verified=found.verified)}"


def crime_json(crime: Crime) -> dict[str, Any]:
    """The same as a JSON object; amounts in yuan as text."""
    return {
        "article": crime.article,
        "title": crime.title.to_json(),
        "codes": list(crime.codes),
        "codes_verified": False,
        "standards": [
            {
                "since": text.since.isoformat(),
                "until": None if text.until is None else text.until.isoformat(),
                **text.source.to_json(),
                "from": {basis: str(value) for basis, value in text.plain.items()},
                "aggravated": {basis: str(value) for basis, value in text.aggravated.items()},
                "verified": text.verified,
            }
            for text in thresholds().get(crime.article, ())
        ],
        "laundering": {
            gains: {"article": found.article, "verified": found.verified}
            for gains in get_args(Gains)
            if (found := crime_of(crime.article, gains)) is not None
        },
    }


def _figures(given: Mapping[str, Decimal]) -> str:
    return "; ".join(f"{in_both(word(BASES, basis))} {figure(value)}元" for basis, value in given.items())


def _mark(*, verified: bool) -> str:
    return "" if verified else f"  {_UNVERIFIED}"
