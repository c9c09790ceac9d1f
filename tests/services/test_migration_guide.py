"""The how-to page for revisions: the file that it shows becomes the newest one and changes the tables."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

from sqlalchemy import create_engine, inspect

from casebus_services.migrating import revision_of, upgrade
from casebus_services.reconciler.account_tables import REVISIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "add-a-migration.md"


def test_the_page_adds_a_revision(tmp_path: Path) -> None:
    """A copy of the accounts' revisions with the page's file beside them upgrades a database of today."""
    page = PAGE.read_text(encoding="utf-8")
    [name] = re.findall(r"reconciler/migrations/versions/(v\w+\.py)", page)
    [indented] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    code = "\n".join(line.removeprefix("   ") for line in indented.splitlines())
    folder = tmp_path / "migrations"
    shutil.copytree(REVISIONS.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / name).write_text(code.replace("THE-HEAD", REVISIONS.head), encoding="utf-8")
    [head] = re.findall(r'`head="(\d+)"`', page)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        upgrade(connection, REVISIONS)
        upgrade(connection, replace(REVISIONS, folder=folder, head=head))
        assert revision_of(connection, REVISIONS) == head
        assert "remark" in {column["name"] for column in inspect(connection).get_columns("recon_finding")}
    engine.dispose()
