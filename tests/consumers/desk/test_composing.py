"""Events composed in forms: made from the schemas, checked as `check` does, sent with the own key."""

import re
from collections.abc import Iterator, Sequence
from html import unescape

import pytest

from casebus_consumers.desk.compose.entered import said, tree_of
from casebus_consumers.desk.compose.kinds import composable, families
from casebus_consumers.desk.compose.prefilling import begun
from casebus_consumers.desk.compose.specs import Spec, specs_of
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.json_form import from_json, to_json
from support.cases.chains import at
from support.events.signed_events import chain
from support.scenes.composing import act, begin, clue, press
from support.scenes.desk_scene import DeskScene
from support.scenes.html_form import PageForm


def text_of(page: str) -> str:
    """What a page shows, without its markup."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)))


def walked(specs: Sequence[Spec]) -> Iterator[Spec]:
    """All fields of a form, those within others among them."""
    for spec in specs:
        yield spec
        yield from walked(spec.fields)


@pytest.fixture
def told(scene: DeskScene) -> DeskScene:
    """The bus has told the regulator of its findings and terms; the door is caught up."""
    scene.announce()
    scene.door._inbox.ready.set()
    return scene


def test_a_clue_is_composed_without_a_script(told: DeskScene) -> None:
    """Rows are added by the server; the preview names who is told; what is sent is what was typed."""
    browser = told.browser()
    draft = clue(browser)
    assert press(browser, draft, "preview").headers["location"] == f"{draft}/review"
    page = text_of(browser.get(f"{draft}/review").text)
    for words in ("公安部", "主送", "王某", "46,190,000.00", "尾市拉抬", "签名并发布"):
        assert words in page
    assert told.said("clue.submitted") == []
    assert act(browser, f"{draft}/review", "publish").headers["location"] == f"{draft}/review?done=said"
    (heard,) = told.said("clue.submitted")
    assert heard["envelope"]["to"] == ["mps"]
    assert heard["envelope"]["precision"] == "day"
    assert heard["envelope"]["occurred_at"] == at("2022-09-30")
    assert str(heard["amounts"][0]["value"]) == "46190000.00"
    assert heard["conduct"] == "尾市拉抬。\n多次。"


def test_an_answer_begins_with_what_is_known(told: DeskScene) -> None:
    """From a case: whom it goes to, which event and term it is about; no figure is copied."""
    browser = told.browser()
    page = browser.get(f"/compose?chain={chain(1)}").text
    assert "移交涉案物品及案卷" in page
    (duty,) = [one for one in told.desk.glance().duties if one["owed_by"] == "csrc"]
    filed = next(one for one in told.desk.view.events(chain(1)) if one.type == "referral.filed")
    draft = begin(browser, "referral.handed_over", chain(1), answers=filed.digest.hex(), duty=duty["id"])
    fields = PageForm(browser.get(draft).text, draft).fields
    assert fields["/data/envelope/to/mps"] == "1"
    assert fields["/data/envelope/answers"] == f"{filed.id} {filed.digest.hex()}"
    assert fields["/data/envelope/obligation"] == duty["id"]
    assert press(browser, draft, "preview").status_code == 303
    review = text_of(browser.get(f"{draft}/review").text)
    assert "履行" in review
    act(browser, f"{draft}/review", "publish")
    (heard,) = told.said("referral.handed_over")
    assert heard["envelope"]["in_reply_to"] == filed.id
    assert heard["envelope"]["in_reply_to_hash"] == filed.digest
    assert heard["envelope"]["message_class"] == "response"


def test_a_correction_begins_with_the_facts_in_force(told: DeskScene) -> None:
    """One's own event again, to be changed in one place; nothing else differs."""
    browser = told.browser()
    own = next(one for one in told.desk.view.events(chain(1)) if one.agency == "csrc")
    draft = begin(browser, "referral.corrected", chain(1), corrects=own.digest.hex())
    fields = PageForm(browser.get(draft).text, draft).fields
    assert fields["/data/amounts/0/value"] == "46,190,000.00"
    assert fields["/data/suspects/1/name"] == "柳某"
    press(browser, draft, "save", amounts__0__value="4,619.00", reasons="单位有误")
    press(browser, draft, "preview")
    act(browser, f"{draft}/review", "publish")
    (heard,) = told.said("referral.corrected")
    assert heard["envelope"]["corrects"] == own.digest
    assert str(heard["amounts"][0]["value"]) == "4619.00"
    assert [one["name"] for one in heard["suspects"]] == ["姜某君", "柳某"]


def test_what_is_wrong_is_said_at_its_field(told: DeskScene) -> None:
    """Every problem at once, each with its field and a link to it; what was typed stays."""
    browser = told.browser()
    draft = clue(browser)
    answer = press(browser, draft, "preview", source="", amounts__0__value="一千万", suspects__0__ref="")
    assert answer.status_code == 422
    form = PageForm(answer.text, draft)
    assert form.fields["/data/amounts/0/value"] == "一千万"
    for pointer in ("source", "amounts-0-value", "suspects-0-ref"):
        assert f'href="#f-data-{pointer}"' in answer.text
        assert f'id="f-data-{pointer}"' in answer.text
        assert f'id="f-data-{pointer}-problem"' in answer.text
    assert "金额 第 1 项 数额（元）" in text_of(answer.text).replace("\u3000", " ")
    assert "签名并发布" not in browser.get(f"{draft}/review").text
    assert act(browser, f"{draft}/review", "publish").status_code == 422
    assert told.said("clue.submitted") == []


def test_rules_of_the_bus_are_asked_before_saying(told: DeskScene) -> None:
    """A charge of somebody who is not listed, a number of a person in clear: refused with the field."""
    browser = told.browser()
    draft = clue(browser)
    press(browser, draft, "add:/data/charges")
    answer = press(
        browser,
        draft,
        "preview",
        charges__0__suspect="S9",
        charges__0__article="第一百八十条",
        conduct="身份证号11010519491231002X",
    )
    page = text_of(answer.text)
    assert answer.status_code == 422
    assert "居民身份证号" in page
    for pointer in ("charges-0-suspect", "charges-0-article", "conduct"):
        assert f'href="#f-data-{pointer}"' in answer.text


def test_what_the_law_forbids_is_refused_with_its_article(told: DeskScene) -> None:
    """A commitment of a party whose case was referred: the door would take it, here it is refused."""
    browser = told.browser()
    draft = begin(browser, "administrative.commitment_accepted", chain(1))
    form = PageForm(browser.get(draft).text, draft)
    assert form.fields["/data/suspects/0/name"] == "姜某君"
    answer = press(browser, draft, "preview", envelope__day="2022-10-01")
    page = text_of(answer.text)
    assert answer.status_code == 422, page
    assert "第741号" in page
    assert "不允许" in page
    assert act(browser, f"{draft}/review", "publish").status_code == 422
    assert told.said("administrative.commitment_accepted") == []


def test_advice_does_not_stop(told: DeskScene) -> None:
    """A period that ends before it begins is named in the preview, and may be sent."""
    browser = told.browser()
    draft = clue(browser)
    press(
        browser, draft, "preview", amounts__0__period__from="2022-05-01", amounts__0__period__to="2022-04-01"
    )
    page = text_of(browser.get(f"{draft}/review").text)
    assert "建议核对" in page
    assert "早于其起始" in page
    assert act(browser, f"{draft}/review", "publish").status_code == 303
    assert len(told.said("clue.submitted")) == 1


def test_a_difference_is_seen_before_it_is_said(told: DeskScene) -> None:
    """The preview says which finding the event would give rise to, by what this agency knows."""
    browser = told.browser()
    own = next(one for one in told.desk.view.events(chain(1)) if one.agency == "csrc")
    draft = begin(browser, "referral.corrected", chain(1), corrects=own.digest.hex())
    press(browser, draft, "remove:/data/suspects/1")
    press(browser, draft, "preview", reasons="柳某不再列为嫌疑主体")
    page = text_of(browser.get(f"{draft}/review").text)
    assert "嫌疑主体不一致" in page
    assert told.said("referral.corrected") == []


def test_rows_are_added_and_removed_by_the_server(told: DeskScene) -> None:
    """With what was typed still there; lists within rows, too; an empty row is no fact."""
    browser = told.browser()
    draft = clue(browser)
    press(browser, draft, "add:/data/suspects")
    press(browser, draft, "add:/data/sealed/persons")
    press(browser, draft, "add:/data/sealed/persons/0/documents", suspects__1__ref="S2")
    fields = PageForm(browser.get(draft).text, draft).fields
    assert fields["/data/suspects/1/ref"] == "S2"
    assert "/data/sealed/persons/0/documents/0/number" in fields
    press(browser, draft, "remove:/data/suspects/0")
    fields = PageForm(browser.get(draft).text, draft).fields
    assert fields["/data/suspects/0/ref"] == "S2"
    press(browser, draft, "remove:/data/sealed/persons/0")
    press(browser, draft, "remove:/data/suspects/0")
    press(browser, draft, "add:/data/charges")
    assert press(browser, draft, "preview").status_code == 303
    act(browser, f"{draft}/review", "publish")
    (heard,) = told.said("clue.submitted")
    assert heard["suspects"] == heard["charges"] == []


@pytest.mark.parametrize(
    "do", ["add:/data/nothing", "remove:/data/suspects/9", "remove:/data/suspects/x", "add:"]
)
def test_no_such_row_does_nothing(told: DeskScene, do: str) -> None:
    """A button that no page has is answered on the page."""
    browser = told.browser()
    draft = clue(browser)
    form = PageForm(browser.get(draft).text, draft)
    assert browser.post(draft, data={**form.fields, "do": do}).status_code in (303, 422)
    assert len(PageForm(browser.get(draft).text, draft).choices) == len(form.choices)


@pytest.mark.parametrize("agency", ["csrc", "mps", "spp", "court"])
def test_every_type_that_an_agency_may_compose_has_a_form(agency: str) -> None:
    """Each field of its schema stands in it, named in both languages, every choice too."""
    catalog = Catalog.load()
    for type in composable(catalog, agency):
        fields = {one["name"] for one in catalog.latest(type).schema["fields"]}
        assert {one.name for one in specs_of(type)} == fields - {"envelope", "sealed"}, type
        for spec in walked(specs_of(type)):
            assert re.search("[\u4e00-\u9fff]", spec.label.zh), (type, spec.name)
            assert not re.search("[\u4e00-\u9fff]", spec.label.en + spec.hint.en), (type, spec.name)
            assert all(said.zh != value for value, said in spec.choices if spec.kind == "choice"), (
                spec.choices
            )


def test_forms_of_every_family_open_in_one_language(told: DeskScene) -> None:
    """The first type of each family, in English: no Chinese but names."""
    browser, officer = told.browser(), told.officers["liaison"]
    browser.english()
    for types in families(told.catalog, "csrc").values():
        draft = told.desk.drafts.make(officer, begun(told.desk, officer, types[0], chain(1)))
        page = browser.get(f"/compose/{draft}")
        assert page.status_code == 200
        shown = re.sub("姜某君|柳某|中文", "", text_of(page.text))
        assert re.findall("[\u4e00-\u9fff]+", shown) == [], types[0]


def test_what_was_said_is_what_the_form_says(told: DeskScene) -> None:
    """The facts of an event taken into a form come out the same."""
    schema = told.catalog.latest("referral.submitted")
    own = next(one for one in told.desk.view.events(chain(1)) if one.agency == "csrc")
    written = to_json(schema, {"envelope": own.envelope, **own.data})
    facts = said(specs_of(schema.type), tree_of(specs_of(schema.type), written))
    again = from_json(schema, {**facts, "envelope": {**written["envelope"], "occurred_at": own.occurred_at}})
    assert again == {"envelope": own.envelope, **own.data}


def test_a_wrong_case_opens_no_form(told: DeskScene) -> None:
    """A case that this agency was not told of: there is none, and no draft is made."""
    browser = told.browser()
    assert browser.get(f"/compose?chain={chain(99)}").status_code == 404
    answered = browser.submit("/compose", "/compose", type="clue.submitted", chain=chain(99))
    assert answered.status_code == 404
    assert browser.submit("/compose", "/compose", type="receipt.signed").status_code == 422
    assert told.desk.drafts.listed("draft") == []
