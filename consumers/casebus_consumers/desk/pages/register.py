"""Every page of the desk, in the order in which addresses are looked up."""

from casebus_consumers.desk.asked import Page

from . import (
    accesses,
    account,
    case,
    cases,
    compare,
    dead_letters,
    document,
    due,
    event,
    exports,
    findings,
    inbox,
    insiders,
    ledger,
    notice,
    operate,
    proofs,
    search,
    sign_in,
    statistics,
)

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *account.PAGES,
    *inbox.PAGES,
    *notice.PAGES,
    *due.PAGES,
    *findings.PAGES,
    *cases.PAGES,
    *case.PAGES,
    *compare.PAGES,
    *event.PAGES,
    *search.PAGES,
    *ledger.PAGES,
    *proofs.PAGES,
    *statistics.PAGES,
    *insiders.PAGES,
    *accesses.PAGES,
    *exports.PAGES,
    *document.PAGES,
    *dead_letters.PAGES,
    *operate.PAGES,
)
