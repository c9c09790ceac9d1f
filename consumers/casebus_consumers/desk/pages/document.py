"""The file of a document that an event of a case names, as the agency's door keeps it."""

import mimetypes

from starlette.responses import FileResponse, Response

from casebus_consumers.case_documents import documents_of
from casebus_consumers.desk.asked import Asked, Gone, Page


def show(asked: Asked) -> Response:
    """The file under the first of its digest: never shown within the desk, and each time it is logged."""
    chain, digest, desk = asked.part("chain"), asked.part("sha256"), asked.desk
    if chain not in asked.glance.cases:
        raise Gone
    named = documents_of(desk.view.events(chain), desk.door.documents.listed(chain))
    found = next((one for one in named if one.sha256 == digest and one.state == "stored"), None)
    if found is None:
        raise Gone
    desk.accesses.note(asked.officer, "document", f"{chain} {digest}")
    ending = mimetypes.guess_extension(found.media_type or "") or ".bin"
    return FileResponse(
        desk.door.documents.path(digest),
        media_type="application/octet-stream",
        filename=f"{digest[:16]}{ending}",
        content_disposition_type="attachment",
    )


PAGES = (Page("/cases/{chain}/documents/{sha256}", "read", show),)
