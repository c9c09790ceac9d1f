"""`casebus ledger verify` reads signatures: a ledger that is whole may still hold what nobody has signed."""

from pathlib import Path

import pytest

from casebus_consumers.auditor.damage import VerifyReport
from casebus_consumers.auditor.epoch_check import Trusted
from casebus_consumers.auditor.replay import replay
from casebus_consumers.auditor.signature_check import check_signatures
from casebus_consumers.auditor.verify import verify_ledger
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.evidence.genesis import Genesis, PinnedKey
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.signed_note import VerifierKey
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey
from casebus_services.ledger.store import LedgerStore
from casebus_services.reconciler.stepped_over import step_over_orders
from support.events.admissions import Admitter, batch_of, unsigned
from support.events.signed_events import Speaker, bus_keys, chain, envelope, seed_of, stored
from support.ledger.ledgers import empty_sqlite

CSRC = Speaker("csrc")


class Scene:
    """Keys, events of the regulator and their admissions, to be changed before they are ledgered."""

    def __init__(self) -> None:
        self.admitter = Admitter(speakers=[CSRC])
        self.csrc = Speaker("csrc")
        self.events: list[Record] = []
        self.words: list[Record] = []
        for _ in range(5):
            event = self.csrc.refer(1)
            self.events.append(stored(event, len(self.events)))
            self.admitter.admit(event)
        (self.partition,) = self.admitter.records
        self.admissions = self.admitter.records[self.partition]

    def checked(
        self, folder: Path, genesis: Genesis | None = None, trusted: Trusted | None = None
    ) -> VerifyReport:
        """The ledger of it all is whole; what its signatures say."""
        store = LedgerStore(empty_sqlite(folder), writer="test")
        keys = [record._replace(offset=offset) for offset, record in enumerate(bus_keys())]
        parts = [
            keys,
            [stored(Speaker("csrc", producer="csrc-0.1").announce())],
            self.events,
            self.admissions,
        ]
        store.append([batch_of(part) for part in (*parts, self.words) if part])
        assert verify_ledger(store.database).ok
        report = VerifyReport()
        check_signatures(store.database, report, genesis=genesis, trusted=trusted)
        store.close()
        return report


def found(scene: Scene, folder: Path) -> list[tuple[str, str]]:
    """Row and what was found there."""
    return [(damage.row, damage.found) for damage in scene.checked(folder).damages]


def test_what_the_router_wrote_is_sound(tmp_path: Path) -> None:
    """Each admission and each admitted event counts as a signature read."""
    report = Scene().checked(tmp_path)
    assert (report.damages, report.signatures, report.origins_awaited) == ([], 10, 0)


def test_keys_that_begin_otherwise_than_the_genesis_are_named(tmp_path: Path) -> None:
    """A ledger whose bus names no genesis is not the one that its members have founded."""
    keys = [PinnedKey("bus", "ed25519", SigningKey(seed_of("operator")).public)]
    file = Genesis.of("ledger.example/bus", [], {}, keys)
    report = Scene().checked(tmp_path, file)
    assert [damage.found for damage in report.damages] == [
        f"bus.key begins with no genesis, expected the genesis {file.digest.hex()}"
    ]
    assert report.genesis_notes[0].startswith("csrc: the genesis pins no key, ")


def test_a_key_with_two_purposes_is_named(tmp_path: Path) -> None:
    """One of the bus is damage; one that an agency announced is its own fault, and damages nothing."""
    router, csrc = (SigningKey(seed_of(name)).public for name in ("router", "csrc"))
    for folder, public in (("bus", router), ("agency", csrc)):
        (tmp_path / folder).mkdir()
        trusted = Trusted(None, {"mps": VerifierKey("mirror/mps", 0x04, public)})
        report = Scene().checked(tmp_path / folder, trusted=trusted)
        said = f"a key of {'bus' if folder == 'bus' else 'csrc'} is that of the witness mirror/mps, too"
        damages = [damage.found.split(": ")[0] for damage in report.damages]
        assert damages == ([said] if folder == "bus" else [])
        assert [one.split(": ")[0] for one in report.shared_keys] == ([] if folder == "bus" else [said])


def test_b2_a_forged_admission_is_named(tmp_path: Path) -> None:
    """A signature of zeros shows, and the admission behind it still follows the true one before."""
    scene = Scene()
    forged = unsigned(scene.admissions[2], "casebus-admission", b'{"verdict":"admitted"}')
    scene.admissions.append(unsigned(forged)._replace(offset=5))
    ((row, what),) = found(scene, tmp_path)
    assert row == "offset 5"
    assert "forged" in what


def step_over(scene: Scene, offset: int) -> Record:
    """The operator's order to step over an admission of the scene."""
    data = {
        "envelope": envelope(to=[]),
        "origin": {"topic": "bus.admission", "partition": scene.partition, "offset": offset},
        "leaf": leaf_hash(leaf(scene.admissions[offset])),
        "reasons": "ticket 7, H. Zhao",
    }
    operator = Speaker("bus", key=SigningKey(seed_of("operator")))
    said = operator.say("admission.step_over_ordered", data, chain(9), topic_name="bus.command")
    return stored(said)._replace(offset=len(scene.words))


def test_b2_an_order_to_step_over_is_told_beside_the_forgery(tmp_path: Path) -> None:
    """What was forged stays named for ever, with who ordered to step over it and why; idle orders count."""
    scene = Scene()
    forged = unsigned(scene.admissions[2], "casebus-admission", b'{"verdict":"admitted"}')
    scene.admissions.append(unsigned(forged)._replace(offset=5))
    scene.words = [step_over(scene, 5)]
    scene.words.append(step_over(scene, 1))
    report = scene.checked(tmp_path)
    assert [damage.row for damage in report.damages] == ["offset 5"]
    (over,) = report.to_json()["stepped_over"]
    assert (over["origin"], over["order"], over["why"]) == (
        f"bus.admission/{scene.partition}/5",
        "bus.command/0/0",
        "ticket 7, H. Zhao",
    )
    assert over["key"] == SigningKey(seed_of("operator")).key_id.hex()
    assert report.step_over_orders == 2


def test_b2_a_missing_admission_is_named(tmp_path: Path) -> None:
    """Each stream of the router is without gap: one that was left out shows at the next."""
    scene = Scene()
    del scene.admissions[2]
    assert found(scene, tmp_path) == [("offset 3", "number 4 of router-1.1 after 2")]


def test_b2_an_origin_with_other_bytes_is_named(tmp_path: Path) -> None:
    """What was admitted must be what stands at its origin."""
    scene = Scene()
    headers = tuple((name, b"/csrc/x" if name == "ce_source" else v) for name, v in scene.events[1].headers)
    scene.events[1] = scene.events[1]._replace(headers=headers)
    assert found(scene, tmp_path) == [("offset 1", "other bytes than its origin")]


@pytest.mark.parametrize(("gone", "damages", "awaited"), [(1, 1, 0), (4, 0, 1)])
def test_b2_an_origin_that_is_no_entry_is_named(
    tmp_path: Path, gone: int, damages: int, awaited: int
) -> None:
    """A hole is damage; what lies behind the end of its log may still be ledgered, and is counted."""
    scene = Scene()
    del scene.events[gone]
    report = scene.checked(tmp_path)
    assert (report.damage_count, report.origins_awaited) == (damages, awaited)


def test_b2_an_event_under_a_key_of_nobody_is_named_though_it_was_admitted(tmp_path: Path) -> None:
    """Not even the router makes an event true that its speaker has not signed."""
    scene = Scene()
    scene.csrc.key = SigningKey(seed_of("nobody"))
    scene.admitter.keyring = scene.admitter.keyring.extend(
        [stored(Speaker("csrc").announce(scene.csrc.key, by=SigningKey(seed_of("csrc"))), 1)]
    )
    event = scene.csrc.refer(1)
    scene.events.append(stored(event, 5))
    scene.admitter.admit(event)
    ((row, what),) = found(scene, tmp_path)
    assert row == "offset 5"
    assert "no key of csrc" in what


def test_b2_a_finding_that_the_bus_did_not_sign_is_named(tmp_path: Path) -> None:
    """What stands on bus.finding must be under a key of the bus."""
    scene = Scene()
    forger = Speaker("bus", key=SigningKey(seed_of("nobody")))
    said = forger.say(
        "finding.closed", {"envelope": envelope(), "findings": []}, chain(1), source="/bus/reconciler"
    )
    scene.words.append(stored(said))
    ((_, what),) = found(scene, tmp_path)
    assert "no key of bus" in what


def test_b1_replay_marks_what_the_bus_has_not_signed() -> None:
    """An admission and a finding of nobody are marked; agencies' records are the router's business."""
    scene = Scene()
    scene.admissions[4] = unsigned(scene.admissions[4])
    forger = Speaker("bus", key=SigningKey(seed_of("nobody")))
    data = {"envelope": envelope(), "findings": []}
    finding = stored(forger.say("finding.closed", data, chain(1), source="/bus/reconciler"))
    records = iter([*scene.events, *scene.admissions, finding])
    shown = [one.to_json() for one in replay(records, None, scene.admitter.keyring)]
    forged = [(one["topic"], one["offset"]) for one in shown if one.get("forged")]
    assert forged == [("bus.admission", 4), ("bus.finding", 0)]
    assert set(shown[-1]["problem"]) == {"zh", "en"}


def test_b2_replay_says_who_ordered_to_step_over_a_forgery_and_why() -> None:
    """The forged record bears the order; a true one that an order names bears nothing."""
    scene = Scene()
    scene.admissions[4] = unsigned(scene.admissions[4])
    commands = [step_over(scene, offset) for offset in (3, 4)]
    orders = step_over_orders(commands, Catalog.load(), Keyring(Catalog.load()).extend(bus_keys()))
    shown = [one.to_json() for one in replay(iter(scene.admissions), None, scene.admitter.keyring, orders)]
    found = [(one["offset"], one["stepped_over"]["why"]) for one in shown if "stepped_over" in one]
    assert found == [(4, "ticket 7, H. Zhao")]
