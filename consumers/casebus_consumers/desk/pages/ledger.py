"""The ledger's health: epochs, checkpoints, who has cosigned, the last verification."""

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.background import Seen
from casebus_consumers.desk.ledger_state import LedgerState
from casebus_consumers.desk.shown.job_rows import row_of
from casebus_consumers.desk.shown.names import witness_name
from casebus_schemas.texts.errors import detail_in_chinese

VERIFY = "verify"
_WAIT_S = 1.0
_SHOWN = 5


def show(asked: Asked) -> Response:
    """The page, with what was read of the ledger last."""
    desk, w = asked.desk, asked.words
    desk.jobs.resume()
    given = desk.evidence.sources.ledger_url is not None
    seen = desk.ledger_state.seen(_WAIT_S) if given else Seen(None, False, None)
    checks = desk.jobs.newest(_SHOWN, VERIFY)
    problem = None
    if seen.failed is not None:
        said = detail_in_chinese(seen.failed) if w.language == "zh" else None
        problem = said or seen.failed.detail
    return asked.page(
        "ledger.html",
        given=given,
        state=seen.value,
        under_way=seen.under_way,
        problem=problem,
        checks=[row_of(one, asked) for one in checks],
        checking=any(not one.is_over for one in checks),
        witness_name=lambda name: witness_name(name, w),
    )


def verify(asked: Asked) -> Response:
    """Asks for a verification of all tables and signatures, in the background."""
    desk = asked.desk
    desk.evidence.sources.url()
    if not any(not one.is_over for one in desk.jobs.newest(_SHOWN, VERIFY)):
        desk.jobs.ask(VERIFY, {}, asked.officer)
        desk.accesses.note(asked.officer, "verified")
    return asked.to("/audit/ledger", done="asked")


def checkpoint(asked: Asked) -> Response:
    """The newest checkpoint that is good enough for a proof: a C2SP note, to be kept outside."""
    desk = asked.desk
    desk.evidence.sources.url()
    state: LedgerState | None = desk.ledger_state.seen(_WAIT_S).value
    if state is None or state.final_note is None:
        raise Gone
    desk.accesses.note(asked.officer, "downloaded", f"checkpoint {state.final}")
    headers = {"content-disposition": f'attachment; filename="checkpoint-{state.final}.note"'}
    return Response(state.final_note.encode(), media_type="text/plain; charset=utf-8", headers=headers)


PAGES = (
    Page("/audit/ledger", "audit", show, verify),
    Page("/audit/ledger/checkpoint.note", "audit", checkpoint),
)
