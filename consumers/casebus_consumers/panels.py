"""Panels and colours on a terminal, through which foreign text passes no raw control either."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from casebus_schemas.texts.harmless import harmless


class Screen(Console):
    """Rich's console for panels and colours of our own: controls within shown texts become escapes.

    A foreign line end would still end a line of the layout: pass foreign texts through `harmless` before.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is shown of a renderable; only what rich itself steers with stays."""
        for segment in super().render(renderable, options):
            text = segment.text
            if segment.control or text.isprintable():
                yield segment
            else:
                shown = "\n".join(map(harmless, text.split("\n")))
                yield Segment(shown, segment.style)
