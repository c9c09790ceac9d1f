"""Clocks of test data, read by the strict loader, with event types and instruments that are still to come."""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.chain_index import ChainIndex
from casebus_schemas.case.fold import fold
from casebus_schemas.case.obligations import Obligation, obligations, starts
from casebus_schemas.law.clock_files import clock_table_of
from casebus_schemas.law.clocks import ClockTable
from casebus_schemas.law.namable import Fields, Namable, package_namable

TYPES_TO_COME: Mapping[str, Fields] = {
    "recommendation.issued": {"addressee": None},
    "recommendation.replied": {},
}
_INSTRUMENTS_TO_COME = """
recommendation-2019:
  {zh: 检察建议工作规定, en: Recommendation Rules, in_force: 2019-02-26, verified: false, law: true}
"""


def table_of(clocks: Mapping[str, str]) -> ClockTable:
    """The clocks of these files (name -> text), under this package's types and those still to come."""
    ours = package_namable()
    text = (files("casebus_schemas") / "law" / "instruments.yaml").read_text(encoding="utf-8")
    namable = Namable({**ours.types, **TYPES_TO_COME}, ours.roles)
    return clock_table_of(clocks, text + _INSTRUMENTS_TO_COME, namable)


def duties(events: Sequence[ChainEvent], table: ClockTable) -> list[Obligation]:
    """The duties that these events start under these clocks."""
    index = ChainIndex(fold(events), table)
    return obligations(index, starts(index))
