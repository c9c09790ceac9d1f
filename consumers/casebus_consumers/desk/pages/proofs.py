"""Proofs to carry away: of an event, of a whole case, of an agency's silence; made in the background."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from starlette.responses import Response

from casebus_consumers.auditor.single_file import single_file
from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.evidence import COVERS
from casebus_consumers.desk.jobs import Job
from casebus_consumers.desk.search_index import Hit, Wanted
from casebus_consumers.desk.shown.job_rows import row_of
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_end, to_moment, utc_text

KINDS = ("event", "bundle", "absence")
_SHOWN = 40
_TYPES = ("type1", "type2", "type3")


def show(asked: Asked) -> Response:
    """The forms, and what was asked for."""
    desk, w = asked.desk, asked.words
    desk.jobs.resume()
    desk.index.take(for_s=1.0)
    return asked.page(
        "proofs.html",
        given=desk.evidence.sources.ledger_url is not None,
        policy=desk.evidence.sources.policy_file is not None,
        about=asked.query("about") or "",
        rows=[row_of(one, asked) for one in desk.jobs.newest(_SHOWN, *KINDS)],
        covers=COVERS,
        agencies=MEMBERS,
        types=sorted(
            (type for type in desk.catalog.types if not type.startswith(("key.", "bus."))), key=w.title
        ),
        chosen=_TYPES,
    )


def ask(asked: Asked) -> Response:
    """Notes what is to be proven; the page shows how far it is."""
    desk, kind = asked.desk, asked.field("kind")
    desk.evidence.sources.url()
    makers = {"event": _event, "bundle": _bundle, "absence": _absence}
    if kind not in makers:
        raise Gone
    wanted = makers[kind](asked)
    id = desk.jobs.ask(kind, wanted, asked.officer)
    desk.accesses.note(asked.officer, "proved", f"/cases/{wanted['chain']}/{kind}")
    return asked.to("/audit/proofs", done="asked", job=id)


def file(asked: Asked) -> Response:
    """What was made."""
    job: Job | None = asked.desk.jobs.one(asked.part("id")[:32])
    content = None if job is None else asked.desk.jobs.content(job)
    if job is None or content is None:
        raise Gone
    asked.desk.accesses.note(asked.officer, "downloaded", f"{job.file}, {(job.sha256 or '')[:16]}")
    headers = {"content-disposition": f'attachment; filename="{job.file}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


def verifier(asked: Asked) -> Response:
    """The verifier of proofs and bundles as one script, for whoever has no casebus."""
    asked.desk.accesses.note(asked.officer, "downloaded", "verify_casebus.py")
    headers = {"content-disposition": 'attachment; filename="verify_casebus.py"'}
    return Response(single_file().encode(), media_type="text/x-python; charset=utf-8", headers=headers)


def _event(asked: Asked) -> Mapping[str, Any]:
    text = asked.needed("about")
    found = [one for one in _found(asked, text) if one.kind in ("event", "digest", "document")]
    events = {(one.chain, one.digest): one for one in found}
    if len(events) != 1:
        raise UsageError(
            "which event?", found=f"{len(events)} events", expected="the id or digest of one that is known"
        )
    ((chain, digest),) = events
    for event in asked.desk.view.events(chain):
        if event.digest.hex() == digest:
            return {"chain": chain, "id": str(event.id), "type": event.type}
    raise Gone


def _bundle(asked: Asked) -> Mapping[str, Any]:
    cover = asked.field("cover")
    if cover not in COVERS:
        raise Gone
    return {"chain": _chain(asked), "cover": cover, "withhold": asked.field("withhold") == "all"}


def _absence(asked: Asked) -> Mapping[str, Any]:
    agency = asked.field("by")
    types = list(dict.fromkeys(one for name in _TYPES if (one := asked.field(name))))
    if agency not in MEMBERS or any(one not in asked.desk.catalog.types for one in types):
        raise Gone
    if not types:
        raise UsageError("silence about what?", found="no type of event", expected="one at least")
    until = utc_text(to_moment(read_end(asked.needed("until"))))
    return {"chain": _chain(asked), "by": agency, "types": types, "until": until}


def _chain(asked: Asked) -> str:
    """The one case that is meant."""
    text = asked.needed("about")
    if text in asked.glance.cases:
        return text
    chains = {one.chain for one in _found(asked, text)} & set(asked.glance.cases)
    if len(chains) != 1:
        raise UsageError(
            "which case?", found=f"{len(chains)} cases", expected="a number, name or chain id of one case"
        )
    return chains.pop()


def _found(asked: Asked, text: str) -> list[Hit]:
    asked.desk.index.take()
    with suppress(ValueError):
        text = str(UUID(text))
    return asked.desk.index.find(Wanted(text=text))[0]


PAGES = (
    Page("/audit/proofs", "audit", show, ask),
    Page("/audit/proofs/{id}/made.bin", "audit", file),
    Page("/audit/verify_casebus.py", "audit", verifier),
)
