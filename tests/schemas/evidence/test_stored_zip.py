"""Zip files with one spelling: what was written is read, and nothing else."""

from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.evidence import stored_zip
from casebus_schemas.evidence.stored_zip import read_stored, write_stored

FILES = st.dictionaries(st.text("abc/.é", min_size=1, max_size=6), st.binary(max_size=40), max_size=5)


@given(FILES)
def test_what_is_written_is_read(files: dict[str, bytes]) -> None:
    """Any files come back, and any reader of zip files finds the same."""
    raw = write_stored(files)
    assert read_stored(raw) == files
    with ZipFile(BytesIO(raw)) as file:
        assert {name: file.read(name) for name in file.namelist()} == files


@given(FILES, st.data())
def test_no_other_bytes_are_read(files: dict[str, bytes], data: st.DataObject) -> None:
    """Bytes with one changed, added or removed are refused, or are what their own content is written as."""
    raw = write_stored(files)
    at = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.binary(max_size=3))
    changed = raw[:at] + other + raw[at + data.draw(st.integers(0, 2)) :]
    try:
        found = read_stored(changed)
    except ValueError:
        return
    assert write_stored(found) == changed


@pytest.mark.parametrize("names", [["b", "a"], ["a", "a"]])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_order_of_files(names: list[str]) -> None:
    """Files out of order, or twice, are refused though any other reader takes them."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_STORED) as file:
        for name in names:
            file.writestr(name, b"x")
    with pytest.raises(ValueError, match=r"other bytes|there twice"):
        read_stored(out.getvalue())


def test_what_is_too_much_for_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a zip would have further records `zipfile` reads it, by the same rule."""
    monkeypatch.setattr(stored_zip, "_MOST_FILES", 1)
    files = {"a": b"1", "b": b"2"}
    assert read_stored(write_stored(files)) == files
    with pytest.raises(ValueError, match="other bytes"):
        read_stored(b"before" + write_stored(files))
