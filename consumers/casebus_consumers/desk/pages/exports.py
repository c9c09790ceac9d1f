"""Lists carried away as CSV or XLSX: what a spreadsheet might take for a formula is text."""

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Gone, Page, Refused
from casebus_consumers.desk.lists import LISTS, rows_of
from casebus_consumers.door.files.sheets import csv_of, xlsx_of

KINDS = {
    "csv": (csv_of, "text/csv; charset=utf-8"),
    "xlsx": (xlsx_of, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def download(asked: Asked) -> Response:
    """The file `inbox.csv` and the like, narrowed as the page is; that it was carried away is logged."""
    name, form = asked.part("name"), asked.part("form")
    if name not in LISTS or form not in KINDS:
        raise Gone
    _, of_audit = LISTS[name]
    if of_audit and not asked.may("audit"):
        raise Refused("frame.not_yours")
    rows = rows_of(name, asked)
    make, kind = KINDS[form]
    body = make(rows)
    asked.desk.accesses.note(asked.officer, "exported", f"{name}.{form}, {len(rows) - 1}")
    file = f"casebus-{name}-{asked.words.day(asked.glance.now)}.{form}"
    return Response(body, media_type=kind, headers={"content-disposition": f'attachment; filename="{file}"'})


PAGES = (Page("/export/{name}.{form}", "read", download),)
