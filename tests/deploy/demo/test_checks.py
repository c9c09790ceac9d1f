"""The named checks of a demo: each fails for what it is there to see, and says where."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from casebus_deploy.demo import checks as checks
from casebus_deploy.demo.play import Spoken
from casebus_deploy.demo.players import HeardForgery, HeardNotice
from casebus_deploy.demo.scenario import load
from casebus_deploy.demo.script import Script
from casebus_producers.outbox.outbox_events import Queued
from casebus_producers.sealing.opener import Opened
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.sealed.personal import read_personal
from casebus_schemas.wire.ids import notice_id
from casebus_schemas.wire.signing import SignedFields

NAME = "jiang-liu.unit-slip"


class Played:
    """A scenario as a faultless bus would have played it."""

    def __init__(self) -> None:
        self.script = Script([load(NAME)], Catalog.load())
        self.spoken = [self._said(number) for number in range(4)]
        self.strays: list[HeardNotice] = []
        self.forged: list[HeardForgery] = []

    def _said(self, number: int) -> Spoken:
        step = self.script.playable()[number]
        digest = (number + 1).to_bytes(32)
        self.script.publish(step, UUID(int=7), digest)
        queued = Queued(1, step.id, step.type, str(UUID(int=7)), digest, "t", 0, 0, None, 0, 0)
        admitted = {"at": step.at.isoformat(), "notices": list(step.told())}
        ledgered = {"log": "csrc.referral/0", "index": number}
        told = [notice(agency, role, digest) for agency, role in step.told().items()]
        return Spoken(step, queued, 0, admitted=admitted, ledgered=ledgered, notices=told)


def notice(agency: str, role: str, digest: bytes, id_: UUID | None = None) -> HeardNotice:
    id = UUID(int=7)
    said = SignedFields("p", 1, digest, "csrc.referral", 0, "k", b"", "", id, "t", "/csrc", 0, digest)
    record = SimpleNamespace(
        role=role, seq=3, digest=digest, said=said, notice=id_ or notice_id(said, agency)
    )
    return HeardNotice(agency, cast(Any, record), {}, 0)


@pytest.fixture
def played() -> Played:
    """A faultless run."""
    return Played()


def test_a_faultless_run_passes(played: Played) -> None:
    """Nothing is found where nothing is wrong."""
    found = [
        checks.steps_played(played.script, played.spoken),
        checks.admitted(played.spoken),
        checks.admitted_in_time(played.spoken),
        checks.notices(played.script, cast(Any, played)),
        checks.ledgered(played.spoken),
    ]
    assert [check.detail for check in found if not check.ok] == []


def opened_by(played: Played, personal: dict[str, Any] | None) -> list[Spoken]:
    """The run, in which whoever was told of the sealed step opened it and found this."""
    spoken = list(played.spoken)
    at = next(at for at, one in enumerate(spoken) if one.step.sealed)
    found = Opened("no_key", ("mps",)) if personal is None else Opened("opened", ("mps",), personal)
    told = [replace(one, opened=found) for one in spoken[at].notices]
    spoken[at] = replace(spoken[at], notices=told)
    return spoken


def test_what_was_sealed_is_read_by_its_readers_and_by_nobody_else(played: Played) -> None:
    """Whoever is told opens it word for word; another content, no key, or a fact in the clear fails."""
    step = next(step for step in played.script.playable() if step.sealed)
    personal = read_personal(dict(step.sealed or {}))
    found = checks.sealed(opened_by(played, personal), lambda _text: 0)
    assert (found.ok, found.detail) == (
        True,
        "1 sealed parts read by whom they are for; none of their 3 facts is in the ledger",
    )
    assert not checks.sealed(opened_by(played, None), lambda _text: 0).ok
    assert not checks.sealed(opened_by(played, {**personal, "notes": "x"}), lambda _text: 0).ok
    assert not checks.sealed(played.spoken, lambda _text: 0).ok
    number = personal["persons"][0]["documents"][0]["number"]
    clear = checks.sealed(opened_by(played, personal), lambda text: int(text == number))
    assert clear.detail == f"{step.message_no}: a sealed fact stands in 1 contents of the ledger"


def test_a_step_left_out_is_named(played: Played) -> None:
    """A step that was never said fails the check of the steps."""
    check = checks.steps_played(played.script, played.spoken[:-1])
    assert (check.ok, check.detail) == (False, f"{NAME}/handed_over was not said")


def test_a_refusal_is_named_with_its_code(played: Played) -> None:
    """A refused event fails the check of admissions, with code and detail."""
    played.spoken[1].admitted = None
    played.spoken[1].refused = {"code": "misplaced", "detail": "wrong partition"}
    assert checks.admitted(played.spoken).detail == f"{NAME}/receipted: misplaced: wrong partition"


def test_an_admission_at_another_time_is_named(played: Played) -> None:
    """The bus's clock must show the scenario's time, to the instant."""
    step = played.spoken[0].step
    played.spoken[0].admitted = {"at": (step.at + timedelta(milliseconds=1)).isoformat(), "notices": []}
    check = checks.admitted_in_time(played.spoken)
    assert not check.ok
    assert check.detail.startswith(f"{NAME}/referral admitted at ")


def test_a_notice_with_anothers_id_is_named(played: Played) -> None:
    """A notice's id follows from its event and its receiver; any other is a fault of delivery."""
    wrong = notice("mps", "to", (1).to_bytes(32), UUID(int=9))
    played.spoken[0].notices = [wrong, *played.spoken[0].notices[1:]]
    assert f"inbox.mps 3: notice id {UUID(int=9)}" in checks.notices(played.script, cast(Any, played)).detail


def test_a_notice_of_an_unknown_event_is_named(played: Played) -> None:
    """What nobody said must be in nobody's inbox."""
    played.strays.append(notice("court", "to", bytes(32)))
    assert "to court (to) is not due" in checks.notices(played.script, cast(Any, played)).detail


def test_a_forged_record_is_named(played: Played) -> None:
    """What is not by whom it says is no notice, and says so with its place."""
    played.forged.append(HeardForgery("inbox.mps", 7, "no key of csrc"))
    assert "inbox.mps 7: no key of csrc" in checks.notices(played.script, cast(Any, played)).detail


def test_two_events_in_one_entry_are_named(played: Played) -> None:
    """Each event has an entry of its own."""
    played.spoken[1].ledgered = played.spoken[0].ledgered
    played.spoken[2].ledgered = None
    detail = checks.ledgered(played.spoken).detail
    assert f"{NAME}/filed has no receipt of the ledger" in detail
    assert f"{NAME}/receipted and {NAME}/referral are both entry" in detail


def test_an_obligation_that_an_agency_did_not_hear_of_is_named() -> None:
    """Whoever owes and whoever is owed must both hear of a term; so must all with an account in a finding."""
    obligation = {"id": "o", "rule": "DL06", "owed_by": "mps", "owed_to": ["csrc"]}
    both = [{"agency": "csrc"}, {"agency": "spp"}]
    finding = {"severity": "high", "id": "f", "rule": "R30", "accounts": both}
    heard = [
        HeardNotice(agency, cast(Any, None), data, 0)
        for agency, data in (
            ("mps", {"obligations": [{"id": "o"}]}),
            ("csrc", {"obligations": [{"id": "o"}]}),
            ("csrc", {"findings": [{"id": "f"}]}),
        )
    ]
    assert checks.announced(heard, [obligation], []).ok
    assert checks.announced(heard, [obligation], [finding]).detail == "spp did not hear of R30 f"
    assert checks.announced(heard, [obligation], [finding | {"severity": "info"}]).ok
    assert checks.announced(heard[1:], [obligation], []).detail == "mps did not hear of DL06 o"


def test_what_informed_for_a_time_only_is_no_surprise(played: Played) -> None:
    """A closed finding that only informs is passed over; one that is open or accuses is not expected."""
    said = {"zh": "眠", "en": "asleep"}
    asleep = {
        "rule": "R49",
        "severity": "info",
        "state": "closed",
        "accounts": [],
        "because": said,
        "chain": "c",
    }
    for finding, fine in (
        (asleep, True),
        (asleep | {"state": "open"}, False),
        (asleep | {"severity": "high"}, False),
    ):
        assert checks.findings(played.script, [finding])[1].ok == fine
