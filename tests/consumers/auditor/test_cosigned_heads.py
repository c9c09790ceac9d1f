"""Whoever reads all topics sees what is final, who withholds a cosignature, and two histories."""

from pathlib import Path

import pytest

from casebus_consumers.auditor.cosigned_heads import CosignedHeads, Standing, witnesses_in_words
from casebus_schemas.evidence.trust_policy import TrustPolicy
from support.ledger.head_logs import SEALED_MS
from support.ledger.witness_scenes import View, cosigned, heard, policy, read, record, witness

LATER_MS = SEALED_MS + 60_000


class Scene:
    """Four witnesses, a view, and who reads both."""

    def __init__(self, folder: Path, epochs: int) -> None:
        self.folder = folder
        self.rules = policy(folder)
        self.view = View()
        for number in range(epochs):
            self.view.seal(str(number).encode())
        self.heads = CosignedHeads(self.rules, policy(folder, threshold=2))
        self.heads.checkpoints(self.view.checkpoints())

    def cosign(self, name: str, size: int, view: View | None = None) -> None:
        """A witness reads up to a size of a view, and publishes."""
        one = witness(self.folder, name, self.rules)
        read(one, (view or self.view).checkpoints()[:size])
        self.heads.cosignatures(name, [heard(cosigned(one), name)])
        one.state.close()

    def standing(self, now_ms: int = LATER_MS) -> Standing:
        """How all stands."""
        return self.heads.standing(now_ms)


def test_two_make_it_provisional_three_final(tmp_path: Path) -> None:
    """A head is provisional with any two witnesses, final with three; the newest counts that has them."""
    scene = Scene(tmp_path, 3)
    found = [(0, 0)]
    for name, size in (("spp", 3), ("audit", 3), ("mps", 2), ("csrc", 3)):
        scene.cosign(name, size)
        standing = scene.standing()
        found.append((standing.provisional, standing.final))
    assert found == [(0, 0), (0, 0), (3, 0), (3, 0), (3, 3)]
    assert standing.size == 3
    assert standing.final_note is not None
    assert set(scene.rules.judge(standing.final_note).witnesses) == {"spp", "audit", "csrc"}


def test_a_withheld_cosignature_is_named_with_its_time(tmp_path: Path) -> None:
    """A witness that has not cosigned an epoch for 15 seconds withholds it since the oldest such epoch."""
    scene = Scene(tmp_path, 3)
    for name in ("spp", "audit", "csrc"):
        scene.cosign(name, 3)
    scene.cosign("mps", 1)
    second = SEALED_MS + 2_000
    assert scene.standing(second + 15_000).withheld == ()
    (late,) = scene.standing(second + 15_001).withheld
    assert (late.name, late.size, late.withheld_since_ms) == ("mps", 1, second)
    assert witnesses_in_words(scene.standing())["mps"] == (
        "cosigned size 1 of 3; nothing since 2022-11-21T03:06:42.000+00:00"
    )


def test_a_witness_that_never_cosigned_withholds_all(tmp_path: Path) -> None:
    """Who is in the policy and has published nothing is named, too."""
    scene = Scene(tmp_path, 1)
    assert [one.name for one in scene.standing().withheld] == ["spp", "mps", "csrc", "audit"]


@pytest.mark.parametrize("shown", [True, False])
def test_two_histories_are_seen_by_any_reader(tmp_path: Path, shown: bool) -> None:
    """Two heads of one size are a split view with both notes, shown to all or only to one witness."""
    scene = Scene(tmp_path, 2)
    other = View()
    for number in range(2):
        other.seal(b"other " + str(number).encode())
    scene.cosign("spp", 2)
    if shown:
        scene.heads.checkpoints(other.checkpoints()[1:])
    else:
        scene.cosign("mps", 2, other)
    (split,) = scene.standing().splits
    assert split.size == 2
    assert split.shown_by == ("bus.checkpoint", "bus.checkpoint" if shown else "mps")
    texts = {split.ours.text, split.theirs.text}
    assert texts == {scene.view.sealed.log.note(2).text, other.sealed.log.note(2).text}
    assert scene.standing().to_json()["ok"] is False


def test_what_nobody_of_the_policy_signed_counts_for_nothing(tmp_path: Path) -> None:
    """Noise, and lines under keys that the policy does not have, are counted and change nothing."""
    scene = Scene(tmp_path, 1)
    scene.heads.checkpoints([record("bus.checkpoint", 9, b"noise")])
    others = tmp_path / "others"
    strangers: TrustPolicy = policy(others)
    for name in ("spp", "mps", "csrc"):
        one = witness(others, name, strangers)
        read(one, scene.view.checkpoints())
        scene.heads.cosignatures(name, [heard(cosigned(one), name), record(name, 1, b"noise")])
    assert (scene.standing().final, scene.standing().provisional) == (0, 0)
    assert scene.standing().unknown == 7


def test_a_reader_that_never_stops_forgets_old_heads(tmp_path: Path) -> None:
    """Only so many heads are remembered as it was told."""
    scene = Scene(tmp_path, 5)
    bounded = CosignedHeads(scene.rules, scene.rules, 2)
    bounded.checkpoints(scene.view.checkpoints())
    bounded.checkpoints(scene.view.checkpoints()[:3])
    assert bounded.standing(LATER_MS).size == 5
