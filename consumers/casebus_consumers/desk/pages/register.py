"""Every page of the desk, in the order in which addresses are looked up."""

from casebus_consumers.desk.asked import Page

from . import (
    account,
    case,
    cases,
    compose,
    dead_letters,
    document,
    draft,
    due,
    event,
    findings,
    inbox,
    notice,
    operate,
    review,
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
    *compose.PAGES,
    *draft.PAGES,
    *review.PAGES,
    *document.PAGES,
    *dead_letters.PAGES,
    *operate.PAGES,
)
