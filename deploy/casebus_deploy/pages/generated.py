"""Files of docs/ that are generated: `python -m casebus_deploy.pages.generated [--check]`."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from casebus_producers.screen import say

from . import openapi
from .asyncapi import document_text
from .bill_of_materials import bill_of_materials, licences_page
from .event_flow import flow_page
from .event_reference import event_page
from .law_page import law_page
from .metrics_page import metrics_page
from .reference import reference
from .settings_page import settings_page

DOCS = Path(__file__).resolve().parents[3] / "docs"

FILES: Mapping[str, Callable[[], str]] = {
    "reference.md": reference,
    "events.md": event_page,
    "event-flow.md": flow_page,
    "law.md": law_page,
    "settings.md": settings_page,
    "licences.md": licences_page,
    "sbom.cdx.json": bill_of_materials,
    "metrics.md": metrics_page,
    "asyncapi.json": document_text,
    "openapi.json": openapi.document_text,
}


def stale(folder: Path = DOCS) -> list[str]:
    """Names of the files that are missing or not in step with what they are made from."""
    return [
        name
        for name, made in FILES.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != made()
    ]


def main(folder: Path = DOCS) -> int:
    """Writes or checks the files; 1 if one is not in step."""
    if "--check" in sys.argv:
        names = stale(folder)
        if names:
            say(f"not in step: {', '.join(names)}; run python -m casebus_deploy.pages.generated", err=True)
        return 1 if names else 0
    for name, made in FILES.items():
        (folder / name).write_text(made(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
