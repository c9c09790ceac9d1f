"""One draft: the form made from the schema, saved with every step, each problem at its field."""

from collections.abc import Sequence

from starlette.responses import RedirectResponse, Response

from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.compose.content import FACTS, HEAD, LISTS, PERSONAL, Content
from casebus_consumers.desk.compose.drafts import Draft
from casebus_consumers.desk.compose.entered import with_row, without_row
from casebus_consumers.desk.compose.judging import Remark, judged
from casebus_consumers.desk.compose.sending import event_of, settled
from casebus_consumers.desk.compose.specs import (
    articles,
    envelope_list,
    personal_specs,
    specs_of,
    takes_personal,
)
from casebus_consumers.desk.shown.form_rows import form_of
from casebus_consumers.desk.shown.names import case_name
from casebus_schemas.errors import BusError, UsageError
from casebus_schemas.texts.errors import detail_in_chinese


def draft_asked(asked: Asked) -> Draft:
    """The draft of the address. Raises Gone where there is none."""
    draft = asked.desk.drafts.find(asked.part("id"))
    if draft is None:
        raise Gone
    return settled(asked.desk, draft)


def show(asked: Asked) -> Response:
    """The form, for its owner; for others, and once it is handed in, the page that shows it."""
    draft = draft_asked(asked)
    if draft.state != "draft" or draft.owner != asked.officer.name:
        return asked.to(f"/compose/{draft.id}/review")
    return _form(asked, draft, asked.desk.drafts.content(draft))


def act(asked: Asked) -> Response:
    """Saves what was typed; then adds or takes a row, checks, deletes, or goes on to the preview."""
    draft, do = draft_asked(asked), asked.field("do")
    if draft.state != "draft" or draft.owner != asked.officer.name:
        raise UsageError(
            "not an open draft of one's own", found=draft.state, expected="one that is still open"
        )
    desk = asked.desk
    if do == "delete":
        desk.drafts.delete(draft, asked.officer)
        desk.accesses.note(asked.officer, "deleted-draft", draft.id, draft.type)
        return asked.to("/compose", done="deleted")
    content = desk.drafts.content(draft)
    content.take(asked.form, _addressees(asked))
    if asked.field("version") != str(draft.version):
        problem = asked.words("draft.changed_meanwhile", at=asked.words.time(draft.changed))
        return _form(asked, draft, content, problem=problem, status=409)
    focus = ""
    try:
        focus = _rows(content, do)
    except BusError as error:
        said = detail_in_chinese(error) if asked.words.language == "zh" else error.detail
        return _form(asked, draft, content, problem=said or error.detail)
    if do == "preview":
        content.tidy()
    draft = desk.drafts.save(draft, asked.officer, content)
    if do != "preview":
        if focus:
            return RedirectResponse(f"/compose/{draft.id}#{focus}", 303)
        return asked.to(f"/compose/{draft.id}", done="saved")
    judgement = judged(desk, event_of(desk, content, desk.now()), desk.now())
    if not judgement.may_be_said:
        return _form(asked, draft, content, remarks=judgement.refused)
    return asked.to(f"/compose/{draft.id}/review")


def _rows(content: Content, do: str) -> str:
    """Adds or takes away a row; gives the id of the place where the form goes on."""
    what, _, pointer = do.partition(":")
    if what not in ("add", "remove") or not pointer:
        return ""
    change = with_row if what == "add" else without_row
    of_head = [name for name in LISTS if pointer.startswith(f"{HEAD}/{name}")]
    if of_head:
        (name,) = of_head
        change([envelope_list(name)], {name: getattr(content.head, name)}, pointer.removeprefix(HEAD))
    elif pointer.startswith(f"{PERSONAL}/"):
        change(personal_specs(), content.personal, pointer.removeprefix(PERSONAL))
    else:
        change(specs_of(content.type), content.facts, pointer.removeprefix(FACTS))
    place = pointer if what == "add" else pointer.rpartition("/")[0]
    return f"f{place.replace('/', '-')}"


def _addressees(asked: Asked) -> list[str]:
    return [one for one in asked.desk.catalog.members.all if one != asked.desk.agency]


def _form(
    asked: Asked,
    draft: Draft,
    content: Content,
    *,
    remarks: Sequence[Remark] = (),
    problem: str | None = None,
    status: int | None = None,
) -> Response:
    desk = asked.desk
    wrong = bool(remarks) or problem is not None
    line = asked.glance.cases.get(draft.chain or "")
    return asked.page(
        "draft.html",
        status or (422 if wrong else 200),
        draft=draft,
        kind=desk.catalog.event(draft.type),
        line_name=None if line is None else case_name(line, asked.words),
        content=content,
        form=form_of(asked, content, remarks),
        problem=problem,
        addressees=_addressees(asked),
        needed=desk.approvals.of(draft.type, desk.now()),
        articles=articles(),
        with_personal=takes_personal(desk.catalog.latest(draft.type)),
        steps=desk.drafts.steps(draft.id),
    )


PAGES = (Page("/compose/{id}", "act", show, act),)
