"""Every page of the desk, in the order in which addresses are looked up."""

from casebus_consumers.desk.asked import Page

from . import (
    account,
    case,
    cases,
    dead_letters,
    document,
    due,
    event,
    findings,
    inbox,
    notice,
    operate,
    sign_in,
    sign_on,
)

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *sign_on.PAGES,
    *account.PAGES,
    *inbox.PAGES,
    *notice.PAGES,
    *due.PAGES,
    *findings.PAGES,
    *cases.PAGES,
    *case.PAGES,
    *event.PAGES,
    *document.PAGES,
    *dead_letters.PAGES,
    *operate.PAGES,
)
