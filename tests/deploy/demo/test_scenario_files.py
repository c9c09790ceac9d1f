"""The loader of scenario files: faults are named, pointers resolve, scenarios share one time line."""

from pathlib import Path
from uuid import UUID

import pytest

from casebus_deploy.demo.scenario import Context, Step, load_file
from casebus_deploy.demo.script import Script
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError

CASE = """
scenario: demo
title: {zh: 案, en: a case}
source: {zh: 源, en: a source}
reference: {issuer: csrc, scheme: case, value: demo-1}
context:
  - {at: 2022-01-01 08:00, when: early 2022, who: {zh: 媒体, en: the press}, what: {zh: 曝光, en: reports it}}
steps:
  - step: referral
    at: 2022-01-04 10:00
    by: csrc/shanghai-office
    type: referral.submitted
    date: 2022-01-04
    date_basis: assumed
    to: [mps]
    cc: [spp]
    says: {zh: 移送, en: refers}
    data: {charges: []}
  - step: filed
    at: 2022-01-05 10:00
    by: mps
    type: referral.filed
    date: 2022-01-05
    date_basis: assumed
    to: [csrc/shanghai-office]
    by_law: [spp]
    in_reply_to: referral
    says: {zh: 立案, en: files}
    data: {}
expect: {clocks: [], findings: [], non_findings: []}
"""

VARIANT = """
scenario: demo.late
variant_of: demo
planted: {zh: 迟, en: late}
reference: {issuer: csrc, scheme: case, value: demo-2}
keep: [referral, filed]
change:
  filed: {at: 2022-02-05 10:00, data: {case_no: "1"}}
add:
  - step: corrected
    at: 2022-01-06 10:00
    by: csrc
    type: referral.corrected
    date: 2022-01-06
    date_basis: assumed
    to: [mps]
    corrects: referral
    says: {zh: 更正, en: corrects}
    data: {reasons: x}
expect: {clocks: [], findings: [], non_findings: []}
"""

CHAIN = UUID("7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44")


def written(folder: Path, text: str = CASE, name: str = "demo") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("scenario: demo\n", "scenario: other\n", "the file's own name"),
        ("title: {zh: 案, en: a case}\n", "", "no title"),
        ("    to: [mps]\n", "    too: [mps]\n", "step referral"),
        ("at: 2022-01-05 10:00", "at: 2022-01-03 10:00", "step filed"),
        ("at: 2022-01-04 10:00", "at: 2022-01-03 10:00", "step referral"),
        ("at: 2022-01-05 10:00", "at: 2022-01-05", "step filed"),
        ("in_reply_to: referral", "in_reply_to: refferal", "refferal"),
        ("in_reply_to: referral", "corrects: referral", "mps changing what csrc said"),
        ("step: filed", "step: referral", "the label twice"),
        ("date: 2022-01-05", "date: soon", "a day such as"),
        ("date_basis: assumed\n    to: [mps]", "date_basis: guessed\n    to: [mps]", "stated or assumed"),
        ("by: mps", "by: fbi", "not a source"),
        ("says: {zh: 立案, en: files}", "says: files", "step filed"),
        ("en: files}", "en: files, at last}", "quote a sentence"),
        ("steps:", "steps: [", "not YAML"),
        ("clocks: []", "clocks: [{rule: DL06}]", "clock DL06"),
    ],
)
def test_a_fault_in_a_file_is_named(tmp_path: Path, old: str, new: str, place: str) -> None:
    """The error says which scenario, which place, and what was found or expected there."""
    assert old in CASE
    with pytest.raises(UsageError) as caught:
        load_file(written(tmp_path, CASE.replace(old, new)))
    assert "demo" in caught.value.detail or "fbi" in caught.value.detail
    assert place in caught.value.detail


def test_pointers_become_the_ids_and_digests_of_what_was_published(tmp_path: Path) -> None:
    """An answer names the id and the digest of the event that it answers, and copies its chain."""
    scenario = load_file(written(tmp_path))
    script = Script([scenario], Catalog.load())
    referral, filed = script.playable()
    first = script.event(referral)
    assert first["subject"] is None
    assert first["data"]["envelope"]["local_refs"] == [
        {"issuer": "csrc", "scheme": "case", "value": "demo-1"}
    ]
    with pytest.raises(UsageError, match="was not published"):
        script.event(filed)
    script.publish(referral, CHAIN, bytes(range(32)))
    second = script.event(filed)
    envelope = second["data"]["envelope"]
    assert second["subject"] == str(CHAIN)
    assert (envelope["message_class"], envelope["in_reply_to"]) == ("response", str(referral.id))
    assert envelope["in_reply_to_hash"] == bytes(range(32)).hex()
    assert second["time"] == "2022-01-05T00:00:00+08:00"


def test_who_is_told_leaves_out_the_speaker_and_keeps_the_stronger_role(tmp_path: Path) -> None:
    """A unit's agency is told, once, in the first of the roles to, cc, by-law."""
    scenario = load_file(written(tmp_path, CASE.replace("by_law: [spp]", "by_law: [spp, csrc, mps]")))
    assert [step.told() for step in scenario.steps] == [
        {"mps": "to", "spp": "cc"},
        {"csrc": "to", "spp": "by-law"},
    ]


def test_a_variant_changes_its_case_and_nothing_else(tmp_path: Path) -> None:
    """Kept steps keep what is not changed, added ones stand at their time, the reference is its own."""
    written(tmp_path)
    variant = load_file(written(tmp_path, VARIANT, "demo.late"))
    assert [step.label for step in variant.steps] == ["referral", "corrected", "filed"]
    assert variant.step("referral").data == {"charges": []}
    assert variant.step("filed").data == {"case_no": "1"}
    assert variant.step("filed").in_reply_to == "referral"
    assert variant.reference["value"] == "demo-2"
    assert variant.planted is not None


def test_a_variant_of_an_unknown_step_is_refused(tmp_path: Path) -> None:
    """A variant can only keep and change steps that its case has."""
    written(tmp_path)
    with pytest.raises(UsageError, match="nowhere"):
        load_file(written(tmp_path, VARIANT.replace("keep: [referral", "keep: [nowhere"), "demo.late"))


def test_scenarios_share_one_time_line(tmp_path: Path) -> None:
    """Steps of several scenarios and what others did are played by their time, context among them."""
    case = load_file(written(tmp_path))
    variant = load_file(written(tmp_path, VARIANT, "demo.late"))
    script = Script([case, variant], Catalog.load())
    told = [line.message_no if isinstance(line, Step) else line.at.isoformat() for line in script.lines()]
    assert told == [
        "2022-01-01T08:00:00+08:00",
        "demo/referral",
        "demo.late/referral",
        "demo/filed",
        "demo.late/corrected",
        "demo.late/filed",
    ]
    assert isinstance(script.lines()[0], Context)


def test_time_may_pass_without_anybody_speaking(tmp_path: Path) -> None:
    """A scenario can set the clock between its steps; a passing without words is refused."""
    passes = "passes: [{at: 2022-01-04 23:00, says: {zh: 夜, en: night}}]\nexpect:"
    scenario = load_file(written(tmp_path, CASE.replace("expect:", passes)))
    assert [type(line).__name__ for line in Script([scenario], Catalog.load()).lines()] == [
        "Context",
        "Step",
        "Passing",
        "Step",
    ]
    with pytest.raises(UsageError, match="passes"):
        load_file(written(tmp_path, CASE.replace("expect:", "passes: [{at: 2022-01-04 23:00}]\nexpect:")))


def test_a_step_without_event_type_is_skipped_with_what_points_at_it(tmp_path: Path) -> None:
    """Skipped steps are listed with the reason, never published and never silently dropped."""
    text = CASE.replace("type: referral.submitted", "type: referral.dreamt_of")
    script = Script([load_file(written(tmp_path, text))], Catalog.load())
    assert script.playable() == []
    assert script.skipped == {
        ("demo", "referral"): "there is no event type referral.dreamt_of yet",
        ("demo", "filed"): "it points at referral, which is skipped",
    }
