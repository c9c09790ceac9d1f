"""Dead letters: found, looked at, and driven again, one or many, after a dry run and with a reason."""

from collections import Counter
from collections.abc import Sequence

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.dead_letters import MOST_AT_ONCE, Letter
from casebus_schemas.errors import UsageError

_ON_A_PAGE = 50
_SHORTEST_REASON = 4
_PICK = "pick-"


def show(asked: Asked) -> Response:
    """The list, newest first, narrowed by kind and search."""
    every = asked.office.letters.all(asked.words)
    kinds, wanted = tuple(asked.office.letters.kinds()), asked.query("q")
    kind = asked.query("kind", kinds)
    found = _narrowed(every, kind, wanted)
    counts = Counter(one.kind for one in every)
    page = max(asked.number("page") or 1, 1)
    return asked.page(
        "dead_letters.html",
        kind=kind,
        kinds=[(name, counts[name]) for name in kinds if counts[name]],
        every=len(every),
        wanted=wanted,
        rows=found[(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE],
        total=len(found),
        drivable=sum(one.again for one in found),
        page=page,
        pages=-(-len(found) // _ON_A_PAGE),
        most=MOST_AT_ONCE,
    )


def act(asked: Asked) -> Response:
    """A dry run of what was picked, or the act itself with a reason; both say of each what comes of it."""
    picked, left = _picked(asked)
    reason, words, letters = asked.field("reason"), asked.words, asked.office.letters
    problem = None
    if asked.field("step") == "do":
        if len(reason) >= _SHORTEST_REASON:
            going = [one for one in picked if one.again]
            for one in going:  # before: whatever happens, it stands in the log who wanted it
                asked.office.accesses.note(asked.officer, "redrove", one.key, reason[:1_000])
            came = letters.drive_again(going, reason, asked.officer.name, words) if going else {}
            rows = [(one, came[one.key]) for one in going]
            return asked.page("dead_letters_done.html", rows=rows, reason=reason)
        problem = words("letters.reason_short")
    seen = letters.foresee(picked, words)
    rows = [(one, seen[one.key]) for one in picked]
    return asked.page(
        "dead_letters_try.html",
        422 if problem else 200,
        rows=rows,
        goes=[one for one, foreseen in rows if foreseen.goes],
        left=left,
        reason=reason,
        problem=problem,
    )


def show_one(asked: Asked) -> Response:
    """One of them, with its content masked where the reader may see any."""
    letter = next(
        (one for one in asked.office.letters.all(asked.words) if one.tag == asked.part("tag")), None
    )
    if letter is None:
        raise Gone
    asked.office.accesses.note(asked.officer, "looked", letter.key)
    looked = asked.office.letters.look(letter, asked.words, content=asked.may("read"))
    return asked.page("dead_letter.html", one=letter, looked=looked)


def _narrowed(letters: Sequence[Letter], kind: str | None, wanted: str | None) -> list[Letter]:
    return [one for one in letters if kind in (None, one.kind) and (wanted is None or one.says(wanted))]


def _picked(asked: Asked) -> tuple[list[Letter], int]:
    """Those that the form names, or all that match and can be driven again; how many are left out."""
    every = asked.office.letters.all(asked.words)
    if asked.field("all"):
        kinds = tuple(asked.office.letters.kinds())
        kind = asked.field("kind") if asked.field("kind") in kinds else None
        found = [one for one in _narrowed(every, kind, asked.field("q")[:200] or None) if one.again]
    else:
        tags = {name.removeprefix(_PICK) for name in asked.form if name.startswith(_PICK)}
        found = [one for one in every if one.tag in tags]
    if not found:
        raise UsageError("nothing was picked", expected="a dead letter that is still there")
    return found[:MOST_AT_ONCE], max(0, len(found) - MOST_AT_ONCE)


PAGES = (
    Page("/dead-letters", "mend", show, act),
    Page("/dead-letters/{tag}", "mend", show_one),
)
