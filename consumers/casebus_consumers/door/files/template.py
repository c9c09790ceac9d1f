"""Templates of files: the heads of a type's columns, and beside them what each column takes."""

from collections.abc import Sequence

from . import sheets
from .columns import Column, columns_of

LANGUAGES = ("zh", "en")
COMMON = (
    "referral.submitted",
    "referral.supplemented",
    "referral.receipted",
    "referral.filed",
    "referral.not_filed",
    "clue.submitted",
    "consultation.requested",
    "consultation.answered",
    "progress.arrest_requested",
    "outcome.prosecuted",
    "outcome.not_prosecuted",
    "outcome.judgment",
    "administrative.penalty_decided",
)
"""Types that most agencies say most often; every other type has a template, too."""
_HELP_HEADS = ("栏目", "column", "必填 required", "内容 what it takes", "说明 about it")
_KINDS = {
    "timestamp-millis": "北京时间 time in Beijing, 2026-11-29 10:00",
    "date": "日期 day, 2026-11-29",
    "decimal": "数额 amount, 46190000.00",
    "list": "用分号分隔 several, with ; between them",
    "boolean": "是 / 否, true / false",
    "long": "整数 whole number",
    "int": "整数 whole number",
    "uuid": "UUID",
    "fixed": "十六进制摘要 hexadecimal digest",
    "string": "文字 text",
}


def csv_template(type: str, language: str, repeated: int = 1) -> bytes:
    """A CSV with the heads of a type and no row. Raises UsageError if there is no such type."""
    return sheets.csv_of([_heads(columns_of(type, repeated), language)])


def xlsx_template(type: str, language: str, repeated: int = 1) -> bytes:
    """An XLSX with the heads of a type, and a second sheet that says what each column takes."""
    columns = columns_of(type, repeated)
    about = [_HELP_HEADS, *(_help(one) for one in columns)]
    return sheets.xlsx_of([_heads(columns, language)], [("说明 help", about)])


def _heads(columns: Sequence[Column], language: str) -> list[str]:
    return [one.zh if language == "zh" else one.en for one in columns]


def _help(one: Column) -> tuple[str, ...]:
    if one.kind == "enum":
        takes = " / ".join(f"{symbol} {_word(one, symbol)}".strip() for symbol in one.symbols)
    else:
        takes = _KINDS.get(one.kind, one.kind)
    return one.zh, one.en, "是 yes" if one.required else "", takes, one.doc


def _word(one: Column, symbol: str) -> str:
    return next((word for word, known in one.words.items() if known == symbol), "")
