"""The door does what docs/openapi.json says: every operation is asked what its schema allows and what not."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import AcceptedNegativeData, FailureGroup
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from casebus_consumers.door.bell import Bell
from casebus_consumers.door.http import _Web
from casebus_consumers.door.operations import OPERATIONS, Operation
from casebus_consumers.door.rates import Rates
from casebus_deploy.pages.generated import DOCS
from casebus_deploy.pages.openapi import document
from support.cases.own_cases import play
from support.scenes.door_scene import DoorScene

EXAMPLES = 30
SEEN_ELSEWHERE: dict[str, list[Any]] = defaultdict(
    lambda: [ignored_auth],  # test_http.py: the key is sent with each call here
    post_events=[ignored_auth, positive_data_acceptance],  # the data of a type are told in docs/events.md
    put_attachment=[ignored_auth, positive_data_acceptance],  # its digest is that of no made-up body
    post_check=[ignored_auth, negative_data_rejection],  # what would be refused is its answer
)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DoorScene]:
    """A door with a case, whose long polls look once."""

    async def once(self: Bell, look: Any, timeout_s: float) -> Any:
        return await look()

    monkeypatch.setattr(Bell, "until", once)
    scene = DoorScene(tmp_path, Rates(1e9, 10**9))
    play(scene, 1)
    scene.arrive()
    for thread in scene.door._threads.values():
        thread.well()
    yield scene
    scene.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_the_door_is_as_its_document_says(
    scene: DoorScene, operation: Operation, mode: GenerationMode
) -> None:
    """No fault of ours, no status or body that the document does not name, nothing let in that it forbids."""
    schema = schemathesis.openapi.from_dict({**document(), "servers": [{"url": "http://testserver"}]})
    schema.app = scene.app
    cases = schema[operation.path][operation.method].as_strategy(generation_mode=mode)
    asked = 0

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=cases)
    def ask(case: Any) -> None:
        nonlocal asked
        key = {"authorization": f"Bearer {scene.key}"}
        try:
            case.call_and_validate(headers=key, excluded_checks=SEEN_ELSEWHERE[operation.name])
        except FailureGroup as found:
            if not all(map(_put_right, found.exceptions)):
                raise
        asked += 1

    try:
        ask()
    except Unsatisfiable:
        # What takes nothing cannot be asked wrongly.
        assert mode is GenerationMode.NEGATIVE
        assert (operation.parameters, operation.takes) == ({}, {})
        return
    assert asked


def _put_right(failure: BaseException) -> bool:
    """Whether what was wrong is gone when it is sent: the key stands in each call, whatever is made up.

    Beside it the generator calls wrong what it leaves out of the query, having no value to send.
    """
    return isinstance(failure, AcceptedNegativeData) and "header: violates" in failure.message


def test_every_operation_is_answered_and_told() -> None:
    """The table, the application and the kept document have the same operations."""
    kept = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    told = {(path, method.upper()) for path, item in kept["paths"].items() for method in item}
    assert told == {(one.path, one.method) for one in OPERATIONS}
    assert all(callable(getattr(_Web, one.name)) for one in OPERATIONS)
    assert kept["openapi"] == "3.1.0"
