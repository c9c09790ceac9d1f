"""The words for people: what symbols of the bus's JSON are called in Chinese and in English."""

from collections.abc import Mapping
from decimal import Decimal

from casebus_schemas.agencies import NAMES
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence

BASES: Mapping[str, Sentence] = {
    "turnover": Sentence("成交金额", "turnover"),
    "illegal_gain": Sentence("违法所得", "illegal gain"),
    "avoided_loss": Sentence("避免损失", "avoided loss"),
    "margin": Sentence("占用保证金", "margin"),
    "funds_raised": Sentence("募集资金", "funds raised"),
    "falsified_assets": Sentence("虚增资产", "falsified assets"),
    "falsified_revenue": Sentence("虚增收入", "falsified revenue"),
    "falsified_profit": Sentence("虚增利润", "falsified profit"),
    "misappropriated": Sentence("挪用侵占金额", "misappropriated funds"),
    "loss": Sentence("损失", "loss"),
    "fine": Sentence("罚款罚金", "fine"),
    "confiscation": Sentence("没收", "confiscation"),
    "compensation": Sentence("赔偿", "compensation"),
    "other": Sentence("其他金额", "other amount"),
}
STATUSES: Mapping[str, Sentence] = Catalog.load().states
COMPARISONS: Mapping[str, Sentence] = {
    "agree": Sentence("一致", "agree"),
    "differ": Sentence("不一致", "differ"),
    "different basis or period": Sentence("口径或期间不同,不比较", "different basis or period, not compared"),
    "one account": Sentence("仅一方提及", "one account only"),
    "own act": Sentence("各自的处理,不比较", "each one's own act, not compared"),
}
SEVERITIES: Mapping[str, Sentence] = {
    "info": Sentence("提示", "info"),
    "medium": Sentence("一般", "medium"),
    "high": Sentence("重要", "high"),
}
READINGS: Mapping[str, Sentence] = {
    "calendar": Sentence("自然日", "calendar days"),
    "calendar_rolled": Sentence("自然日遇假顺延", "rolled past holidays"),
    "working": Sentence("工作日", "working days"),
    "hours": Sentence("小时", "hours"),
    "hours_next": Sentence("自下一小时起", "from the next hour"),
}
STEPS: Mapping[str, Sentence] = {
    "limit": Sentence("期限", "limit"),
    "target": Sentence("一般期限", "target"),
    "latest": Sentence("最长期限", "latest"),
    "county": Sentence("县级以上公安机关负责人批准", "approval of the head of the county police organ"),
    "superior": Sentence("上一级公安机关负责人批准", "approval of the head of the next higher police organ"),
}
NO_CHARGE = Sentence("未列罪名", "no charge stated")
"""Of a suspect whom a paper names without a charge."""

_FACTORS = {
    Decimal(10_000): Sentence("一万", "ten thousand"),
    Decimal(100_000_000): Sentence("一亿", "hundred million"),
}


def word(words: Mapping[str, Sentence], symbol: str) -> Sentence:
    """What a symbol is called; the symbol itself where nobody has named it."""
    return words.get(symbol) or Sentence(symbol, symbol)


def agency(name: str) -> Sentence:
    """An agency's name."""
    zh, en = NAMES.get(name, (name, name))
    return Sentence(zh, en)


def title(type: str) -> Sentence:
    """What a type of event is called."""
    known = Catalog.load().types.get(type)
    return Sentence(known.title_zh, known.title_en) if known else Sentence(type, type)


def quoted(type: str) -> Sentence:
    """The same within a sentence."""
    called = title(type)
    return Sentence(f"“{called.zh}”", f"“{called.en}”")


def figure(value: Decimal) -> str:
    """An amount with its thousands apart."""
    return f"{value:,.2f}"


def money(value: Decimal, currency: str) -> Sentence:
    """An amount with its currency."""
    yuan = "元" if currency == "CNY" else f" {currency}"
    return Sentence(f"{figure(value)}{yuan}", f"{currency} {figure(value)}")


def unit(factor: Decimal) -> Sentence:
    """The unit in which figures are often given, 万元 or 亿元."""
    return Sentence("万元" if factor == 10_000 else "亿元", f"units of {_FACTORS[factor].en} yuan")


def times(factor: Decimal) -> Sentence:
    """How many times one figure is another."""
    zh = _FACTORS[factor].zh
    article = "ten thousand" if factor == 10_000 else "a hundred million"
    return Sentence(f"{zh}倍", f"{article} times")
