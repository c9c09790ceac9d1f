"""Canonical JSON: the quick writer and Python's own give the same bytes for whatever the bus keeps."""

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.wire.json_text import canonical, canonical_text

EXAMPLES = sorted(
    (entry for entry in (files("casebus_schemas") / "examples").iterdir() if entry.name.endswith(".json")),
    key=lambda entry: entry.name,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def _by_python(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(VALUES)
def test_any_value_has_the_bytes_that_python_writes(value: object) -> None:
    """Keys by code point, no spaces, nothing escaped that need not be, integers of any size."""
    assert canonical(value) == _by_python(value)
    assert canonical_text(value).encode() == canonical(value)


@pytest.mark.parametrize("name", [entry.name for entry in EXAMPLES])
def test_every_example_has_the_bytes_that_python_writes(name: str) -> None:
    """The body of each example of each type."""
    body = json.loads((files("casebus_schemas") / "examples" / name).read_text(encoding="utf-8"))
    assert canonical(body) == _by_python(body)


def test_what_json_does_not_have_is_refused() -> None:
    """A set is not written as something else."""
    with pytest.raises(TypeError):
        canonical({"a": {1}})
