"""Clocks of test data, read by the strict loader."""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.chain_index import ChainIndex
from casebus_schemas.case.fold import fold
from casebus_schemas.case.obligations import Obligation, obligations, starts
from casebus_schemas.law.clock_files import clock_table_of
from casebus_schemas.law.clocks import ClockTable
from casebus_schemas.law.namable import package_namable


def table_of(clocks: Mapping[str, str]) -> ClockTable:
    """The clocks of these files (name -> text), under this package's types."""
    text = (files("casebus_schemas") / "law" / "instruments.yaml").read_text(encoding="utf-8")
    return clock_table_of(clocks, text, package_namable())


def duties(events: Sequence[ChainEvent], table: ClockTable) -> list[Obligation]:
    """The duties that these events start under these clocks."""
    index = ChainIndex(fold(events), table)
    return obligations(index, starts(index))
