"""Every page of the desk, in the order in which addresses are looked up."""

from casebus_consumers.desk.asked import Page

from . import account, inbox, sign_in

PAGES: tuple[Page, ...] = (*sign_in.PAGES, *account.PAGES, *inbox.PAGES)
