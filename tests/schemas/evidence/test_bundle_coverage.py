"""What a bundle cannot leave out unseen: verdicts of the bus, and the events that they are on."""

from dataclasses import replace
from typing import Literal

import pytest

from casebus_schemas.admission.verdict import SaidVerdict, counts_now
from casebus_schemas.evidence.bundle_check import BundleReport, check_bundle
from casebus_schemas.evidence.bundle_coverage import CLOCKS_MS, coverage, first_times
from casebus_schemas.evidence.bundle_file import Bundle, BundledLog, bundled_log
from casebus_schemas.evidence.epoch import LogHead
from casebus_schemas.evidence.leaf import leaf, parse_leaf
from casebus_schemas.evidence.merkle import LeafHashes
from casebus_schemas.wire.records import TopicPartition
from support.events.signed_events import chain
from support.ledger import signed_case
from support.ledger.ledgers import record
from support.ledger.sealed_ledger import policy
from support.ledger.signed_case import SignedCase, bundle_of

HOUR_MS = 3_600_000


@pytest.fixture
def case() -> SignedCase:
    """Twelve matters of three referrals each; the n-th record of a log is of the n-th hour."""
    case = signed_case.example(events=1)
    for place, records in case.ledger.records.items():
        case.ledger.records[place] = [
            one._replace(timestamp_ms=one.timestamp_ms + HOUR_MS * one.offset) for one in records
        ]
    case.ledger.epochs.clear()
    case.ledger.heads.clear()
    case.ledger.seal()
    return case


def verdicts_of(case: SignedCase, number: int) -> tuple[TopicPartition, int]:
    """The log of verdicts on a matter, and the index of the one."""
    return next(
        (place, at)
        for place, records in case.ledger.records.items()
        if place.topic == "bus.admission"
        for at, one in enumerate(records)
        if one.key == chain(number).encode()
    )


def late_matter(case: SignedCase) -> int:
    """A matter with two verdicts on others before its own, and one after it."""
    for number in range(12):
        place, at = verdicts_of(case, number)
        if 2 <= at < len(case.ledger.records[place]) - 1:
            return number
    raise AssertionError("no such matter")


def judged(bundle: Bundle) -> BundleReport:
    """What a reader makes of it."""
    return check_bundle(bundle.to_bytes(), policy())


def with_entries(case: SignedCase, bundle: Bundle, place: TopicPartition, kept: list[int]) -> Bundle:
    """The bundle with only these entries of a log, rightly proven."""
    name = f"{place.topic}/{place.partition}/1"
    log = bundle.logs[name]
    indexes = [at for begin, end in log.ranges for at in range(begin, end)]
    shown = dict(zip(indexes, zip(log.leaves, log.headers, strict=True), strict=True))
    entries = {at: shown[at] for at in kept}
    logs = {key: one for key, one in bundle.logs.items() if key != name}
    if entries:
        hashes = LeafHashes(case.ledger.hashes(place))
        logs[name] = bundled_log(entries, len(case.ledger.records[place]), hashes)
    used = {parse_leaf(raw).value_sha256 for one in logs.values() for raw in one.leaves}
    payloads = {digest: value for digest, value in bundle.payloads.items() if digest in used}
    return replace(bundle, logs=logs, payloads=payloads)


def test_all_verdicts_are_there(case: SignedCase) -> None:
    """From the last leaf before the case on, or from the start, no verdict can have been left out."""
    number = late_matter(case)
    place, at = verdicts_of(case, number)
    before = case.ledger.records[place][at - 1].timestamp_ms
    size = len(case.ledger.records[place])
    for begin, since in ((at - 1, before), (0, None)):
        report = judged(bundle_of(case, number, covered_from=begin))
        assert (report.failed, report.all_verdicts) == ([], True)
        admission = report.covered[0]
        assert admission == ("bus.admission", None, since, size - begin)
        assert [entry.leaf.topic for entry in report.entries] == ["bus.admission", "csrc.referral"]
        assert report.signatures == 2


def test_the_verdict_left_out(case: SignedCase) -> None:
    """Wherever the leaves begin or end, a bundle without the verdict says that it may have been left out."""
    number = late_matter(case)
    place, at = verdicts_of(case, number)
    whole = bundle_of(case, number, covered_from=0)
    size = len(case.ledger.records[place])
    for kept in (
        [*range(at), *range(at + 1, size)],
        list(range(at)),
        list(range(at + 1, size)),
        [],
    ):
        report = judged(with_entries(case, whole, place, kept))
        assert not report.all_verdicts, kept
        assert any("no verdict of the bus on it, it may have been left out" in w for w in report.not_covered)


def test_the_verdict_kept_closed(case: SignedCase) -> None:
    """A leaf of the chain whose headers are not shown fails: who holds it closed hides something."""
    number = late_matter(case)
    place, at = verdicts_of(case, number)
    bundle = bundle_of(case, number, covered_from=0)
    name = f"{place.topic}/{place.partition}/1"
    log = bundle.logs[name]
    headers = [b"" if index == at else one for index, one in enumerate(log.headers)]
    closed = replace(bundle, logs={**bundle.logs, name: replace(log, headers=headers)})
    wrong = f"{name}: offset {at}: the headers are not those of the leaf"
    assert wrong in judged(closed).failed


def test_the_event_left_out(case: SignedCase) -> None:
    """A verdict without the event that it is on fails, if the ledger had that event at the epoch."""
    number = late_matter(case)
    place = next(
        place
        for place, records in case.ledger.records.items()
        if place.topic == "csrc.referral" and any(one.key == chain(number).encode() for one in records)
    )
    report = judged(with_entries(case, bundle_of(case, number, covered_from=0), place, []))
    (failed,) = report.failed
    assert failed.endswith("admitted by the bus, and left out of the bundle")


def test_an_event_that_is_not_judged_yet(case: SignedCase) -> None:
    """Where all verdicts are there, an event without one was not judged by that epoch: that is then known."""
    number = late_matter(case)
    place, at = verdicts_of(case, number)
    del case.ledger.records[place][at:]
    case.ledger.seal()
    report = judged(bundle_of(case, number, covered_from=0))
    # There is no entry of the chain in that log, so it must be shown for the event's sake.
    assert not report.all_verdicts
    hashes = LeafHashes(case.ledger.hashes(place))
    entries = {index: (leaf(one), b"") for index, one in enumerate(case.ledger.records[place])}
    bundle = bundle_of(case, number, covered_from=0)
    name = f"{place.topic}/{place.partition}/1"
    shown = replace(bundle, logs={**bundle.logs, name: bundled_log(entries, at, hashes)})
    report = judged(shown)
    assert (report.failed, report.all_verdicts) == ([], True)
    assert report.not_covered[0].endswith("no verdict of the bus on it, none by this epoch")


def test_closed_leaves_are_of_other_chains_only(case: SignedCase) -> None:
    """Leaves of key topics may never stay closed."""
    bundle = bundle_of(case, 0, covered_from=0)
    log = bundle.logs["csrc.key/0/1"]
    closed = {**bundle.logs, "csrc.key/0/1": replace(log, headers=[b""] * len(log.leaves))}
    assert any("csrc.key/0/1" in what for what in judged(replace(bundle, logs=closed)).failed)


def covered(times: list[int], begin: int, first_ms: int, *, append_time: bool = True) -> str | None:
    """The problem of a log of verdicts whose entries have these times, shown from `begin` on."""
    kind = int(append_time)
    leaves = [
        leaf(record(at, topic="bus.admission")._replace(timestamp_ms=ms, timestamp_type=kind))
        for at, ms in enumerate(times)
    ]
    name, size = "bus.admission/0/1", len(times)
    head = LogHead(f"x.example/{name}", size, bytes(32), size, size)
    log = BundledLog(((begin, size),), leaves[begin:], [b""] * (size - begin), ())
    return coverage({name: head}, {name: log}, {0: first_ms})[0].problem


def test_from_before_the_first_event() -> None:
    """The leaves must begin a minute before the first event by the broker's own clock, or at the start."""
    times = [0, CLOCKS_MS, 5 * CLOCKS_MS]
    assert covered(times, 1, 2 * CLOCKS_MS) is None
    assert covered(times, 0, 0) is None
    assert covered(times, 0, 0, append_time=False) is None
    late = "bus.admission/0/1 is shown from index 1 on, not from before the events"
    assert covered(times, 1, 2 * CLOCKS_MS - 1) == late
    assert covered(times, 1, 2 * CLOCKS_MS, append_time=False) == late


def test_times_by_partition() -> None:
    """The first time of a partition is that of what was said of the chain there; orders are not of it."""
    places = [("csrc.referral", 3, 9), ("mps.record", 3, 7), ("bus.finding", 3, 8), ("bus.command", 0, 1)]
    leaves = [
        parse_leaf(leaf(record(0, topic=topic, partition=at)._replace(timestamp_ms=ms)))
        for topic, at, ms in places
    ]
    assert first_times(leaves) == {3: 7}


def test_the_last_attempt_counts() -> None:
    """Of several verdicts on a record the first one of the last attempt counts."""

    def verdict(attempt: int, said: Literal["admitted", "refused"]) -> SaidVerdict:
        return SaidVerdict("csrc.referral/0/5", attempt, said, None, None, None, 0)

    verdicts: dict[str, SaidVerdict] = {}
    said: Literal["admitted", "refused"]
    for attempt, said in ((1, "refused"), (1, "admitted"), (2, "admitted"), (2, "refused"), (1, "refused")):
        counts_now(verdicts, verdict(attempt, said))
    assert verdicts["csrc.referral/0/5"] == verdict(2, "admitted")
