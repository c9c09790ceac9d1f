"""Made-up notices on holidays, and orders that enter them."""

from datetime import date

from casebus_schemas.law.calendars import EnteredNotice
from casebus_schemas.law.notice_data import notice_of
from casebus_schemas.law.notices import Notice
from support.cases.chains import at

OF_2027 = {
    "year": 2027,
    "number": "国办发明电〔2026〕99号",
    "title": "国务院办公厅关于2027年部分节假日安排的通知",
    "known_since": date(2026, 11, 5),
    "source": "https://www.gov.cn/made-up",
    "days_off": [date(2027, 1, 1), date(2027, 1, 7), date(2027, 1, 8)],
    "workdays": [date(2027, 1, 16)],
}
"""7 and 8 January 2027, Thursday and Friday, are off, Saturday the 16th is worked: no notice says so."""


def notice(**changes: object) -> Notice:
    """The made-up notice of 2027 with some changes."""
    return notice_of({**OF_2027, **changes})


def entered(when: str, **changes: object) -> EnteredNotice:
    """The same, in force from a time on."""
    return EnteredNotice(at(when), b"\x99" * 32, notice(**changes))
