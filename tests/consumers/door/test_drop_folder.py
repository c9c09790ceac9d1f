"""A system that can only write files drops CSV and XLSX into a folder, and finds each row answered there."""

import csv
import io
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from casebus_consumers.door.cli import app
from casebus_consumers.door.door import Door
from casebus_consumers.door.files.columns import columns_of, heads_of
from casebus_consumers.door.files.folder import AFTER_QUEUE, BEFORE_MOVE, CUT_SHORT_S, QUIET_S, DropFolder
from casebus_consumers.door.files.sheets import csv_of, harmless, xlsx_of
from casebus_consumers.door.files.template import COMMON, csv_template, xlsx_template
from casebus_schemas.catalogue.catalog import Catalog
from support.cases.chains import at
from support.events import receipts
from support.events.signed_events import stored
from support.scenes.door_children import door_of, drop_folder, take_files
from support.scenes.forked import forked
from support.scenes.kept import keep

TYPE = "referral.submitted"
WORKABLE = {
    "time": "2016-10-18",
    "source": "/csrc/shanghai-office",
    "message_class": "initial",
    "to": "mps/economic-crime;spp",
    "local_refs.1.issuer": "csrc",
    "local_refs.1.scheme": "case",
    "precision": "精确到日",
    "date_basis": "stated",
    "legal_basis.1.instrument": "decree-310",
    "legal_basis.1.article": "5",
    "handling": "H1",
    "suspects.1.ref": "S1",
    "suspects.1.kind": "自然人",
    "suspects.2.ref": "S2",
    "suspects.2.kind": "legal",
    "charges.1.suspect": "S1",
    "charges.1.article": "180(4)",
    "amounts.1.basis": "illegal_gain",
    "amounts.1.value": "46190000.00",
    "amounts.1.currency": "CNY",
}


SAID = sorted(name for name, one in Catalog.load().types.items() if "bus" not in one.speakers)


class Dropped:
    """A folder, and the door that looks into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inbox = folder / "dropped"
        self.inbox.mkdir()
        self.door: Door = door_of(folder)
        self.worker: DropFolder = drop_folder(self.door, folder, self.inbox)

    def put(self, name: str, raw: bytes) -> None:
        """A file as a system drops it."""
        (self.inbox / name).write_bytes(raw)

    def work(self) -> None:
        """Two looks: a file is seen, then it is whole."""
        (self.inbox / "answered").mkdir(exist_ok=True)
        for _ in range(2):
            self.worker.step()

    def answers(self, name: str) -> list[list[str]]:
        """The rows of an answer file, without its heads."""
        raw = (self.inbox / "answered" / name).read_bytes()
        if name.endswith(".csv"):
            return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))[1:]
        sheet = openpyxl.load_workbook(io.BytesIO(raw)).worksheets[0]
        return [[str(cell.value or "") for cell in row] for row in sheet.iter_rows(min_row=2)]

    def said(self) -> list[str]:
        """Ids of the events in the outbox, oldest first."""
        return [str(row.id) for row in reversed(self.door._outbox.recent(1_000))]


@pytest.fixture
def dropped(tmp_path: Path) -> Iterator[Dropped]:
    dropped = Dropped(tmp_path)
    yield dropped
    dropped.door._outbox.close()


def row(number: int, **changes: str) -> dict[str, str]:
    """A lawful referral of its own case, by the English heads."""
    return {**WORKABLE, "local_refs.1.value": f"file-{number}", **changes}


def table(*rows: dict[str, str]) -> list[list[str]]:
    """Heads and rows."""
    heads = list(dict.fromkeys(name for one in rows for name in one))
    return [heads, *([one.get(name, "") for name in heads] for one in rows)]


def states(answers: list[list[str]]) -> list[tuple[str, str]]:
    """Row and state of each answer."""
    return [(one[0], one[1].rpartition(" ")[2]) for one in answers]


# --- rows as events --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_each_row_is_said_and_answered(dropped: Dropped, suffix: str) -> None:
    """In their order, each answered beside with its event; the file itself lies there, too."""
    made = csv_of if suffix == "csv" else xlsx_of
    dropped.put(f"{TYPE}-1.{suffix}", made(table(row(1), row(2))))
    dropped.work()
    answers = dropped.answers(f"{TYPE}-1.answer.{suffix}")
    assert states(answers) == [("2", "queued"), ("3", "queued")]
    assert [one[2] for one in answers] == dropped.said()
    assert (dropped.inbox / "answered" / f"{TYPE}-1.{suffix}").exists()
    assert list(dropped.inbox.glob("*.*")) == []


def test_a_row_is_the_event_that_it_says(dropped: Dropped) -> None:
    """Days in Beijing, symbols by their words in either language, lists with semicolons, groups by number."""
    dropped.put(f"{TYPE}.csv", csv_of(table(row(1))))
    dropped.work()
    (said,) = dropped.door._outbox.pending(0, 10, 10**7)
    from casebus_schemas.wire.codec import decode

    data = decode(Catalog.load(), said.record.value)[1]
    assert data["envelope"]["occurred_at"].isoformat() == "2016-10-17T16:00:00+00:00"
    assert data["envelope"]["to"] == ["mps/economic-crime", "spp"]
    assert data["envelope"]["precision"] == "day"
    assert [(one["ref"], one["kind"]) for one in data["suspects"]] == [("S1", "natural"), ("S2", "legal")]
    assert str(data["amounts"][0]["value"]) == "46190000.00"


def test_heads_may_be_chinese_and_gb18030(dropped: Dropped) -> None:
    """As a Chinese spreadsheet saves them; the same row under English heads is the same event."""
    named = {one.en: one.zh for one in columns_of(TYPE, 2)}
    heads, *rows = table(row(1))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[named[one] for one in heads], *rows])
    dropped.put(f"{TYPE}-zh.csv", text.getvalue().encode("gb18030"))
    dropped.put(f"{TYPE}.csv", csv_of(table(row(1))))
    dropped.work()
    assert len(dropped.said()) == 1
    for name in (f"{TYPE}-zh", TYPE):
        ((_, state),) = states(dropped.answers(f"{name}.answer.csv"))
        assert state == "queued"


def test_cells_of_a_sheet_are_numbers_and_days(dropped: Dropped) -> None:
    """What a spreadsheet keeps as number or day is read as such, not as its look."""
    from datetime import datetime

    book = openpyxl.Workbook()
    heads, values = table(row(1))
    cells: dict[str, Any] = dict(zip(heads, values, strict=True))
    cells |= {"time": datetime(2016, 10, 18, 9, 30), "amounts.1.value": 46190000, "legal_basis.1.article": 5}
    book.active.append(heads)
    book.active.append([cells[head] for head in heads])
    out = io.BytesIO()
    book.save(out)
    dropped.put(f"{TYPE}.xlsx", out.getvalue())
    dropped.work()
    assert states(dropped.answers(f"{TYPE}.answer.xlsx")) == [("2", "queued")]


# --- what is wrong ---------------------------------------------------------------------------------------


def test_a_wrong_row_is_refused_with_its_column_and_the_rest_goes_on(dropped: Dropped) -> None:
    """Column, reason in both languages and law; damaged rows with what ails them."""
    lines = csv_of(table(row(1), row(2, precision="hour"), row(3))).splitlines(keepends=True)
    damaged = (
        lines[0]
        + lines[1]
        + b'"a"b,c\r\n'
        + lines[2]
        + b"\xff\xfe,1\r\n"
        + b",".join([b"x"] * 40)
        + b"\r\n"
        + lines[3]
    )
    dropped.put(f"{TYPE}.csv", damaged)
    dropped.work()
    answers = dropped.answers(f"{TYPE}.answer.csv")
    assert states(answers) == [
        ("2", "queued"),
        ("3", "refused"),
        ("4", "refused"),
        ("5", "refused"),
        ("6", "refused"),
        ("7", "queued"),
    ]
    wrong = answers[2]
    assert wrong[4] == "时间精度 precision"
    assert "hour" in wrong[5]
    assert "hour" in wrong[6]
    assert wrong[7]
    assert all(one[5] and one[6] for one in answers if "refused" in one[1])
    assert len(dropped.said()) == 2


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("no-type.csv", csv_of(table(row(1)))),
        (f"{TYPE}.xlsx", b"PK\x05\x06 no workbook"),
        (f"{TYPE}.xls", b"\xd0\xcf\x11\xe0"),
        (f"{TYPE}.csv", b"nothing,known\r\n1,2\r\n"),
        (f"{TYPE}.csv", b"time,time\r\n1,2\r\n"),
        (f"{TYPE}.csv", b"\r\n"),
    ],
    ids=range(6),
)
def test_a_file_that_cannot_be_read_is_answered(dropped: Dropped, name: str, raw: bytes) -> None:
    """One answer for the whole file, with the reason; nothing is said."""
    dropped.put(name, raw)
    dropped.work()
    stem, _, suffix = name.rpartition(".")
    answers = dropped.answers(f"{stem}.answer.{'xlsx' if suffix == 'xlsx' else 'csv'}")
    assert states(answers) == [("0", "refused")]
    assert answers[0][5]
    assert answers[0][6]
    assert dropped.said() == []


def test_a_formula_is_no_value(dropped: Dropped) -> None:
    """A row with one is refused, whatever it would come to; the others are said."""
    book = openpyxl.Workbook()
    heads, good, other = table(row(1), row(2))
    book.active.append(heads)
    book.active.append(["=1+1", *good[1:]])
    book.active.append(other)
    out = io.BytesIO()
    book.save(out)
    dropped.put(f"{TYPE}.xlsx", out.getvalue())
    dropped.work()
    assert states(dropped.answers(f"{TYPE}.answer.xlsx")) == [("2", "refused"), ("3", "queued")]


def test_a_sheet_that_unpacks_without_end_is_refused(dropped: Dropped) -> None:
    """By what it says of its size, before anything is unpacked."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("xl/x", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1024 * 1024))
    dropped.put(f"{TYPE}.xlsx", out.getvalue())
    dropped.work()
    assert "too large" in dropped.answers(f"{TYPE}.answer.xlsx")[0][6]


@pytest.mark.parametrize("begins", list("=+-@\t\r\n"))
def test_no_cell_of_an_answer_is_a_formula(dropped: Dropped, begins: str) -> None:
    """What a stranger wrote is shown with an apostrophe before it, in CSV and XLSX."""
    assert harmless(f"{begins}cmd|' /C calc'!A0").startswith("'")
    dropped.put(f"{TYPE}.csv", csv_of(table(row(1))).replace(b"time,", b'"time",', 1))
    evil = f"{begins}HYPERLINK(1)"
    raw = xlsx_of([[evil]])
    (cell,) = next(openpyxl.load_workbook(io.BytesIO(raw)).worksheets[0].iter_rows())
    assert cell.data_type == "s"
    assert next(csv.reader(io.StringIO(csv_of([[evil]]).decode("utf-8-sig"), newline="")))[0] == f"'{evil}"


def test_answers_repeat_no_formula_of_a_row(dropped: Dropped) -> None:
    """A value that is refused is repeated in the reason, and stays text there."""
    dropped.put(f"{TYPE}.csv", csv_of(table(row(1))).replace(b"2016-10-18", b"=1+cmd"))
    dropped.work()
    (answer,) = dropped.answers(f"{TYPE}.answer.csv")
    assert "=1+cmd" in answer[6]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in answer)


# --- whole files -----------------------------------------------------------------------------------------


def test_a_file_half_written_is_left_alone(dropped: Dropped) -> None:
    """Neither while it grows, nor before it was quiet, nor while its end is missing; nor one whose name is
    still to be changed."""
    now = [0.0]
    worker = drop_folder(dropped.door, dropped.folder, dropped.inbox, clock_s=lambda: now[0])
    raw = csv_of(table(row(1), row(2)))
    dropped.put(f"{TYPE}.csv", raw[: len(raw) // 2])
    dropped.put(f"{TYPE}.csv.part", raw)
    dropped.put(f".{TYPE}.csv", raw)
    dropped.put(f"~${TYPE}.xlsx", raw)
    assert list(worker.whole_files()) == []
    now[0] += QUIET_S + 1
    assert list(worker.whole_files()) == []  # no line end
    dropped.put(f"{TYPE}.csv", raw)
    assert list(worker.whole_files()) == []  # it grew
    now[0] += QUIET_S - 1
    assert list(worker.whole_files()) == []
    now[0] += 2
    assert [file.name for file in worker.whole_files()] == [f"{TYPE}.csv"]


def test_a_file_without_its_end_is_taken_after_a_while(dropped: Dropped) -> None:
    """A system that writes no last line end is not waited for without end."""
    now = [0.0]
    worker = drop_folder(dropped.door, dropped.folder, dropped.inbox, clock_s=lambda: now[0])
    dropped.put(f"{TYPE}.csv", csv_of(table(row(1))).rstrip())
    assert list(worker.whole_files()) == []
    now[0] += CUT_SHORT_S + 1
    assert [file.name for file in worker.whole_files()] == [f"{TYPE}.csv"]


def test_the_same_file_says_nothing_twice(dropped: Dropped) -> None:
    """Dropped again, whole or with a row more, only what is new is said; equal rows of one file are two."""
    dropped.put(f"{TYPE}.csv", csv_of(table(row(1), row(1))))
    dropped.work()
    assert len(dropped.said()) == 2
    dropped.put(f"{TYPE}.csv", csv_of(table(row(1), row(1))))
    dropped.put(f"{TYPE}-more.csv", csv_of(table(row(1), row(1), row(2))))
    dropped.work()
    assert len(dropped.said()) == 3
    dropped.put(f"{TYPE}.csv", csv_of(table(row(5))))
    dropped.work()
    assert len(list((dropped.inbox / "answered").glob(f"{TYPE}*.answer.csv"))) == 3  # none was written over


def test_what_the_bus_answers_comes_into_the_file(dropped: Dropped) -> None:
    """Admitted, then ledgered; refused with the bus's reason."""
    dropped.put(f"{TYPE}.csv", csv_of(table(row(1), row(2))))
    dropped.work()
    first, second = (stored(one.record, 7) for one in dropped.door._outbox.pending(0, 2, 10**7))
    keep(dropped.door, receipts.admitted(first, at("2016-10-19"), "mps"))
    keep(dropped.door, receipts.refused(second, at("2016-10-19"), "bad-body", "=not a body"))
    dropped.work()
    answers = dropped.answers(f"{TYPE}.answer.csv")
    assert states(answers) == [("2", "admitted"), ("3", "refused")]
    assert answers[1][6] == "'=not a body"
    keep(dropped.door, receipts.ledgered(first, at("2016-10-19"), 0))
    dropped.work()
    assert states(dropped.answers(f"{TYPE}.answer.csv"))[0] == ("2", "ledgered")


def test_killed_at_any_place_each_row_is_said_once(dropped: Dropped) -> None:
    """Killed with the events in the outbox and nothing else written, and with the answers written and the
    file not moved: afterwards each row is one event, and answered."""
    count = 30
    dropped.put(f"{TYPE}.csv", csv_of(table(*(row(number) for number in range(count)))))
    for place in (AFTER_QUEUE, BEFORE_MOVE):
        child = forked(take_files, dropped.folder, dropped.inbox, {place: 1})
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
        assert (dropped.inbox / f"{TYPE}.csv").exists()
        assert len(dropped.said()) == count
    dropped.work()
    assert len(dropped.said()) == len(set(dropped.said())) == count
    assert [state for _, state in states(dropped.answers(f"{TYPE}.answer.csv"))] == ["queued"] * count
    assert not (dropped.inbox / f"{TYPE}.csv").exists()


# --- templates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "type", sorted(name for name, one in Catalog.load().types.items() if "bus" not in one.speakers)
)
def test_every_type_has_a_template(type: str) -> None:
    """Heads in Chinese and English, each known again and none twice, also for several of a group."""
    for repeated in (1, 3):
        columns = columns_of(type, repeated)
        for heads in ([one.zh for one in columns], [one.en for one in columns]):
            assert len(set(heads)) == len(heads)
            assert heads_of(type, heads) == heads_of(type, [one.en for one in columns])
            assert None not in heads_of(type, heads)


@pytest.mark.parametrize("type", COMMON)
def test_a_common_type_comes_as_csv_and_xlsx(type: str) -> None:
    """The same heads in both; the sheet says beside what each column takes; no row is in it."""
    for language in ("zh", "en"):
        (heads,) = csv.reader(io.StringIO(csv_template(type, language).decode("utf-8-sig"), newline=""))
        book = openpyxl.load_workbook(io.BytesIO(xlsx_template(type, language)))
        (row,) = book.worksheets[0].iter_rows(values_only=True)
        assert list(row) == heads
        assert book.worksheets[1].max_row == len(heads) + 1


def test_a_template_is_written_by_a_command(tmp_path: Path) -> None:
    """Without a type the common ones are listed; a name that would not be taken is refused."""
    assert CliRunner().invoke(app, ["template"]).output.split() == list(COMMON)
    file = tmp_path / f"{TYPE}-november.csv"
    assert CliRunner().invoke(app, ["template", TYPE, "--to", str(file), "--lang", "en"]).exit_code == 0
    assert file.read_text("utf-8-sig").startswith("type,id,time,")
    odd = str(tmp_path / f"{TYPE}.txt")
    assert CliRunner().invoke(app, ["template", TYPE, "--to", odd]).exit_code == 2
