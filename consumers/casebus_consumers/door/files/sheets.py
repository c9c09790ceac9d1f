"""Files of rows: CSV and XLSX read within bounds, and written so that no cell is a formula."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from casebus_schemas.errors import UsageError

from .columns import Cell

MOST_BYTES = 64 * 1024 * 1024
MOST_UNPACKED = 256 * 1024 * 1024
MOST_ROWS = 100_000
MOST_COLUMNS = 1_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a text for a formula, or hide one (OWASP, CSV injection)."""

_ENCODINGS = (("utf-8-sig", "strict"), ("gb18030", "strict"), ("utf-8-sig", "surrogateescape"))

Row = Sequence[Cell] | UsageError
"""The cells of a row, or why it cannot be read."""


def rows_of_csv(raw: bytes, known: Callable[[Sequence[str]], bool]) -> tuple[list[str], Iterator[Row]]:
    """Heads and rows of a CSV in UTF-8 or GB18030, the one under which `known` knows the heads.

    Rows are read one by one: one that is damaged is an error in its place.
    """
    found = None
    for encoding, errors in (
        ("utf-8-sig", "strict"),
        ("gb18030", "strict"),
        ("utf-8-sig", "surrogateescape"),
    ):
        try:
            text = raw.decode(encoding, errors)
        except UnicodeDecodeError:
            continue
        rows = _csv_rows(text)
        first = next(rows, ())
        heads = [] if isinstance(first, UsageError) else [str(cell or "").strip() for cell in first]
        if found is None or known(heads):
            found = heads, rows
        if known(heads):
            break
    assert found is not None  # the last one cannot fail
    return found


def _csv_rows(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield UsageError("the row is damaged", found=str(error), expected="CSV as RFC 4180 has it")
            continue
        if any("\udc80" <= letter <= "\udcff" for cell in row for letter in cell):
            yield UsageError(
                "the row is damaged", found="bytes that are no text", expected="UTF-8 or GB18030"
            )
        else:
            yield row


def rows_of_xlsx(raw: bytes) -> tuple[list[str], Iterator[Row]]:
    """Heads and rows of the first sheet of an XLSX. Raises UsageError if it is none, or too large."""
    openpyxl = _openpyxl()
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
        if size > MOST_UNPACKED:
            raise _too_much(f"{size} bytes unpacked", MOST_UNPACKED)
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=False, keep_links=False)
        rows = book.worksheets[0].iter_rows()
        first = next(rows, ())
    except UsageError:
        raise
    except Exception as error:  # whatever a strange file makes the reader raise
        raise UsageError(
            "the file is no XLSX", found=f"{type(error).__name__}: {error}"[:200], expected="a workbook"
        ) from error
    return [str(cell.value or "").strip() for cell in first], _xlsx_rows(rows)


def _xlsx_rows(rows: Iterator[Any]) -> Iterator[Row]:
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - whatever a strange file makes the reader raise
            yield UsageError("the row is damaged", found=f"{type(error).__name__}: {error}"[:200])
            return
        if any(cell.data_type == "f" for cell in row):
            yield UsageError(
                "a formula stands in the row", expected="values", remedy="paste the values alone"
            )
        elif any(cell.data_type == "e" for cell in row):
            yield UsageError("an error of the sheet stands in the row", expected="values")
        else:
            yield [cell.value for cell in row]


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that begins so gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_of(rows: Sequence[Sequence[object]]) -> bytes:
    """A CSV that spreadsheets open as UTF-8."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[_shown(cell) for cell in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def xlsx_of(
    rows: Sequence[Sequence[object]], more: Sequence[tuple[str, Sequence[Sequence[object]]]] = ()
) -> bytes:
    """An XLSX, its cells texts; `more` are other sheets by title."""
    openpyxl = _openpyxl()
    book = openpyxl.Workbook(write_only=True)
    for title, body in (("casebus", rows), *more):
        sheet = book.create_sheet(title)
        for row in body:
            cells = []
            for value in row:
                cell = openpyxl.cell.WriteOnlyCell(sheet, value=_shown(value))
                cell.data_type = "s"
                cell.number_format = "@"  # text: what is typed there stays as it is typed
                cells.append(cell)
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _shown(value: object) -> str:
    # XML has no control characters; nobody reads them either.
    text = "" if value is None else str(value)
    return harmless("".join(letter for letter in text if letter >= " " or letter in "\t\n\r"))


def _openpyxl() -> Any:
    try:
        import openpyxl
        import openpyxl.cell
    except ImportError as error:
        raise UsageError(
            "XLSX cannot be read here", found="no openpyxl", remedy="install casebus[door-files], or use CSV"
        ) from error
    return openpyxl


def _too_much(found: object, most: int) -> UsageError:
    return UsageError("the file is too large", found=found, expected=f"at most {most}")
