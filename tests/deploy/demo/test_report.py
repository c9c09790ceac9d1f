"""The report of a demo: its checks, its percentiles, its JSON."""

from casebus_deploy.demo.report import Check, Latency, Report


def test_a_check_names_its_problems_and_counts_the_rest() -> None:
    """A check holds without problems; otherwise it says the first of them and how many more there are."""
    assert Check.of("notices", [], "all told") == Check("notices", True, "all told")
    assert Check.of("notices", ["a", "b"], "all told") == Check("notices", False, "a; b")
    assert Check.of("notices", list("abcdefg"), "all told").detail == "a; b; c; d; e; and 2 more"


def test_percentiles_are_measured_values() -> None:
    """Percentiles are nearest ranks: half of the values are at most p50, 99 of 100 at most p99."""
    assert Latency.of([]) == Latency(None, None, 0)
    assert Latency.of([7.0]) == Latency(7.0, 7.0, 1)
    assert Latency.of([float(n) for n in range(100, 0, -1)]) == Latency(50.0, 99.0, 100)
    assert Latency.of([1.0, 2.0, 3.0]) == Latency(2.0, 3.0, 3)


def test_a_report_is_ok_only_with_checks_that_all_hold() -> None:
    """No checks, or one that fails, is not ok."""
    fine, bad = Check("ledger", True, "sound"), Check("clocks", False, "late")
    assert [Report(checks=found).ok for found in ([], [fine], [fine, bad])] == [False, True, False]


def test_the_json_has_the_members_of_the_contract() -> None:
    """The JSON is that of docs/records.md 6, measurements null where there are none."""
    report = Report(
        checks=[Check("ledger", True, "sound")],
        events=3,
        notices=5,
        refused=1,
        entries=9,
        logs=4,
        obligations=2,
        findings=["R30"],
        inbox=Latency(12.0, 30.0, 5),
        seconds=1.234,
    )
    assert report.to_json() == {
        "ok": True,
        "checks": [{"name": "ledger", "ok": True, "detail": "sound"}],
        "events": 3,
        "notices": 5,
        "refused": 1,
        "ledger": {"entries": 9, "logs": 4},
        "obligations": 2,
        "findings": ["R30"],
        "latency_ms": {"inbox": {"p50": 12.0, "p99": 30.0}, "ledger": {"p50": None, "p99": None}},
        "seconds": 1.2,
    }
