"""What a person does at a desk to compose: begins a draft, types into its form, presses a button."""

from httpx2 import Response

from support.scenes.desk_scene import Browser
from support.scenes.html_form import PageForm

COMPOSE = "/compose"


def begin(browser: Browser, type: str, chain: str = "", **more: str) -> str:
    """Begins a draft; gives the address of its form."""
    answer = browser.submit(COMPOSE, COMPOSE, type=type, chain=chain, **more)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def press(browser: Browser, path: str, do: str, **typed: str) -> Response:
    """Presses a button of a page's form after typing into fields, whose names have no `/data/` here."""
    form = PageForm(browser.get(path).text, path)
    assert do in form.buttons, (do, form.buttons)
    fields = {f"/data/{name.replace('__', '/')}": value for name, value in typed.items()}
    unknown = (
        fields.keys() - form.fields.keys() - {name for name in fields if "/to/" in name or "/cc/" in name}
    )
    assert unknown == set()
    return browser.post(path, data={**form.fields, **fields, "do": do})


def act(browser: Browser, path: str, do: str, **more: str) -> Response:
    """Presses a button of a draft's preview, with what the page holds and further fields."""
    form = PageForm(browser.get(path).text, path)
    return browser.post(path, data={**form.fields, **more, "do": do})


def clue(browser: Browser) -> str:
    """A clue to the police, filled in and ready to be sent; gives its address."""
    draft = begin(browser, "clue.submitted")
    press(browser, draft, "add:/data/suspects")
    press(browser, draft, "add:/data/amounts")
    press(browser, draft, "add:/data/envelope/local_refs")
    press(
        browser,
        draft,
        "save",
        **{
            "envelope__to__mps": "1",
            "envelope__handling": "H2",
            "envelope__day": "2022-09-30",
            "envelope__local_refs__0__issuer": "csrc",
            "envelope__local_refs__0__scheme": "case",
            "envelope__local_refs__0__value": "2022-77",
            "source": "complaint",
            "suspects__0__ref": "S1",
            "suspects__0__kind": "natural",
            "suspects__0__name": "王某",
            "amounts__0__basis": "turnover",
            "amounts__0__value": "4,619万元",
            "conduct": "尾市拉抬。\n多次。",
        },
    )
    return draft


def referral(browser: Browser) -> str:
    """A referral, which its head must approve, ready to be handed in; gives its address."""
    draft = begin(browser, "referral.submitted")
    press(browser, draft, "add:/data/suspects")
    press(browser, draft, "add:/data/charges")
    press(browser, draft, "add:/data/envelope/local_refs")
    press(
        browser,
        draft,
        "save",
        **{
            "envelope__to__mps": "1",
            "envelope__handling": "H1",
            "envelope__local_refs__0__issuer": "csrc",
            "envelope__local_refs__0__scheme": "case",
            "envelope__local_refs__0__value": "2022-88",
            "approved_at": "2022-09-30T09:00",
            "suspects__0__ref": "S1",
            "suspects__0__kind": "natural",
            "suspects__0__name": "赵某",
            "charges__0__suspect": "S1",
            "charges__0__article": "180(1)",
        },
    )
    return draft
