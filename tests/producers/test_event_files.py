"""Events of a stream and of a folder are taken as they come."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_producers.outbox import event_files
from casebus_producers.outbox.event_files import arriving_events, arriving_files
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.door import DoorProblem


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The two ends of a pipe."""
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def test_c18_each_line_is_taken_before_the_next_comes(pipe: tuple[int, int]) -> None:
    """An event is handed over while the stream is still open."""
    reading, writing = pipe
    with os.fdopen(reading, encoding="utf-8") as stream:
        runs = arriving_events(stream)
        for number in range(3):
            os.write(writing, json.dumps({"n": number}).encode() + b"\n")
            assert next(runs) == [(number + 1, {"n": number})]
        os.close(writing)
        assert list(runs) == []


def test_c18_documents_may_span_lines_and_a_bad_line_costs_no_other(pipe: tuple[int, int]) -> None:
    """A document of several lines is one event; a line that is no JSON is a problem in its place."""
    reading, writing = pipe
    text = '{"a":\n 1}\noops\n[{"b": 2}, {"c": 3}]\n{"d": '

    def write() -> None:
        os.write(writing, text.encode())
        os.close(writing)

    threading.Thread(target=write).start()
    with os.fdopen(reading, encoding="utf-8") as stream:
        found = [one for run in arriving_events(stream) for one in run]
    problems = [one.message for one in found if isinstance(one, DoorProblem)]
    assert [one for one in found if not isinstance(one, DoorProblem)] == [
        (1, {"a": 1}),
        (4, {"b": 2}),
        (4, {"c": 3}),
    ]
    assert ["line 3" in problems[0], "line 5" in problems[1]] == [True, True]


def test_c18_a_folder_gives_its_files_once_they_are_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of events are given in the order of their names, others are left; a missing folder is said."""
    monkeypatch.setattr(event_files, "_QUIET_S", 0.01)
    for name in ("b.jsonl", "a.json", "c.txt"):
        (tmp_path / name).write_text("{}")
        os.utime(tmp_path / name, (0, 0))
    files = arriving_files(tmp_path)
    for name in ("a.json", "b.jsonl"):
        file = next(files)
        assert file.name == name
        file.unlink()
    with pytest.raises(UsageError, match="no folder"):
        next(arriving_files(tmp_path / "away"))
