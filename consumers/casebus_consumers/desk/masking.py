"""Personal data before somebody has said what for: initials, and numbers without their middle."""

import re

_MASKED = re.compile("[某＊*×○]")
_CHINESE_NAME = re.compile("[\u4e00-\u9fff\u3400-\u4dbf·]{2,4}")
_FIRM = re.compile("公司|集团|合伙|银行|证券|基金|中心|事务所|[厂局所社会部院店]$")
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.,-])\d[\d -]{9,22}[\dXx](?![A-Za-z0-9_-])")
"""Of a document, a telephone or an account: eleven digits or more that stand for themselves."""
_FEWEST, _SHOWN_AT_ENDS = 11, 3


def masked_name(name: str) -> str:
    """A person's name by its first character; firms, and what an agency has masked already, as they are."""
    if _MASKED.search(name) or _FIRM.search(name):
        return name
    if _CHINESE_NAME.fullmatch(name):
        return name[0] + "＊" * (len(name) - 1)
    return " ".join(f"{part[0]}***" for part in name.split()) if name.isascii() and name.strip() else name


def masked_text(text: str) -> str:
    """A text in which long numbers show their ends only."""

    def ends(found: re.Match[str]) -> str:
        digits = found.group()
        if sum(map(str.isdigit, digits)) < _FEWEST:
            return digits
        return digits[:_SHOWN_AT_ENDS] + "＊" * (len(digits) - 2 * _SHOWN_AT_ENDS) + digits[-_SHOWN_AT_ENDS:]

    return _NUMBER.sub(ends, text)
