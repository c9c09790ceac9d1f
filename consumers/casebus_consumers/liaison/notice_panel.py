"""A notice on a terminal: a panel in the colour of who speaks."""

from rich.markup import escape
from rich.panel import Panel

from casebus_consumers.panels import Screen
from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.texts.harmless import harmless

from .inbox import Notice, Told
from .notice_view import notice_lines


def show_panel(notice: Told, catalog: Catalog, console: Screen) -> None:
    """Shows a notice in a frame."""
    head, *rest = map(harmless, notice_lines(notice, catalog))
    style = "red" if not isinstance(notice, Notice) else "yellow" if _is_of_bus(notice) else "cyan"
    console.print(
        Panel("\n".join(map(escape, rest)) or " ", title=escape(head), title_align="left", style=style)
    )


def _is_of_bus(notice: Notice) -> bool:
    return notice.record.headers.source.startswith(f"/{BUS}")
