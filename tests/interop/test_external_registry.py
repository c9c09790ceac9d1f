"""A bus whose clients use a registry of somebody else."""

from pathlib import Path

import pytest

from casebus_deploy.stack.stack import Stack, StackOptions
from casebus_schemas.catalogue.catalog import Catalog
from support.events.fake_registry import FakeRegistry, running


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack that was not started, told of an external registry."""
    return Stack(StackOptions(data=tmp_path, registry_url="http://user:secret@127.0.0.1:9/sr"), said.append)


said: list[str] = []


def test_clients_are_told_of_the_external_registry(stack: Stack) -> None:
    """connection.json and the table of what runs name it without its password; none of ours starts."""
    assert stack.connection.registry_url == "http://127.0.0.1:9/sr"
    assert ("registry", "http://127.0.0.1:9/sr", "") in stack.rows()
    assert "registry" not in [child.name for child in stack._children()]


def test_an_external_registry_is_filled_and_may_be_down(stack: Stack, tmp_path: Path) -> None:
    """The start fills it; one that cannot be reached is said and stops nothing."""
    fake = FakeRegistry()
    with running(fake) as url:
        Stack(StackOptions(data=tmp_path, registry_url=url))._fill_registry()
    assert set(fake.schemas) == {schema.id for schema in Catalog.load().schemas()}
    said.clear()
    stack._fill_registry()
    assert len(said) == 1
    assert "casebus schemas push" in said[0]
    assert "secret" not in said[0]
