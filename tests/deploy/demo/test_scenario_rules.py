"""The rules of the reconciler, applied to the scenarios without any server, give what the files expect."""

from datetime import UTC, datetime

import pytest

from casebus_deploy.demo.expectations import Told, clock_problems, finding_problems, notice_problems
from casebus_deploy.demo.scenario import load, names
from casebus_deploy.demo.script import Script
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.reconcile import Reconciled, reconcile
from support.cases.played import event_of

NOW = datetime(2022, 12, 1, tzinfo=UTC)


def played(name: str) -> tuple[Script, Reconciled]:
    """A scenario said step by step, its events folded; digests and chain id are stand-ins."""
    script = Script([load(name)], Catalog.load())
    events = [event_of(script, step) for step in script.playable()]
    return script, reconcile(events)


@pytest.mark.parametrize("name", names())
def test_the_clocks_are_those_expected(name: str) -> None:
    """Every duty has the readings, rungs, parties and state of the scenario file, and there is no other."""
    script, reconciled = played(name)
    assert clock_problems(script, [duty.said(NOW).to_json() for duty in reconciled.duties]) == []


@pytest.mark.parametrize("name", names())
def test_the_findings_are_those_expected(name: str) -> None:
    """Every planted or real disagreement is found, and nothing else is."""
    script, reconciled = played(name)
    findings = [finding.to_json() for finding in reconciled.findings(NOW)]
    assert finding_problems(script, findings) == ([], [])


def test_operating_profits_of_two_periods_stand_side_by_side() -> None:
    """3.591 bn and 4.101 bn are shown as different in basis or period, which is not a finding."""
    _, reconciled = played("kangmei")
    rows = [row for row in reconciled.accounts["amounts"] if row["basis"] == "falsified_profit"]
    assert sorted((row["accounts"][0]["value"], row["comparison"]) for row in rows) == [
        ("3591000000.00", "different basis or period"),
        ("4101000000.00", "different basis or period"),
    ]


def test_a_corrected_fine_stands_as_corrected() -> None:
    """After the correction the account of the speaker holds the second figure only."""
    _, reconciled = played("xian")
    fines = [
        row["value"] for row in reconciled.accounts["agencies"]["csrc"]["amounts"] if row["basis"] == "fine"
    ]
    assert fines == ["2892000000.00"]


def test_a_wrong_expectation_is_named() -> None:
    """A clock, a finding and a notice that differ from the file are each said with both values."""
    script, reconciled = played("jiang-liu.unit-slip")
    duty = reconciled.duties[0].said(NOW).to_json()
    moved = {**duty, "due_latest": "2016-10-26T00:00:00+08:00"}
    assert (
        "jiang-liu.unit-slip DL06 of receipted: due at the latest 2016-10-25 24:00, expected 2016-10-24 24:00"
        in (clock_problems(script, [moved]))
    )
    missing, _ = finding_problems(script, [])
    assert any(one.startswith("jiang-liu.unit-slip: R30 about illegal_gain") for one in missing)
    told = [
        Told(agency, role, digest)
        for step in script.playable()
        if (published := script.said(step.scenario, step.label))
        for agency, role in step.told().items()
        for digest in [published.digest.hex()]
    ]
    assert notice_problems(script, told) == []
    assert notice_problems(script, told[1:]) == [
        "notice of jiang-liu.unit-slip/referral to mps (to) is missing"
    ]
    assert notice_problems(script, [*told, Told("court", "to", "00" * 32)]) == [
        "notice of 0000000000000000 to court (to) is not due"
    ]


def test_a_variant_referred_beside_its_case_is_expected_only_where_both_are_played() -> None:
    """What several scenarios show together is asked for where they are played together only."""
    alone = Script([load("xian.contested")], Catalog.load())
    both = Script([load("xian"), load("xian.contested")], Catalog.load())
    wanted = [[one for one in finding_problems(script, [])[0] if ": R42:" in one] for script in (alone, both)]
    assert wanted == [[], ["xian.contested: R42: a variant is its case referred once more"]]
