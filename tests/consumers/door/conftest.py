"""A regulator's door that has a document to give."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.scenes.attachment_scene import Sender
from support.scenes.served import Served, serving


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    sender = Sender(tmp_path / "sender")
    yield sender
    sender.scene.close()


@pytest.fixture
def served(sender: Sender) -> Iterator[Served]:
    with serving(sender.app) as served:
        yield served
