"""A desk of the regulator that has heard one case."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cases.own_cases import play
from support.scenes.desk_scene import DeskScene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[DeskScene]:
    """A referral, its receipt and a filing with another figure."""
    scene = DeskScene(tmp_path)
    play(scene, 1)
    scene.arrive()
    yield scene
    scene.close()
