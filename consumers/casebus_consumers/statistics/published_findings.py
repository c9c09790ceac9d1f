"""Published figures that are not what the events give, as findings of the accounts; computed when read."""

from typing import Any

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.statistics.comparison import compare_published
from casebus_schemas.statistics.figures import Versions
from casebus_schemas.statistics.scopes import law_version

from .sources import from_accounts, has_published


def published_findings(url: str) -> list[dict[str, Any]]:
    """JSON of each such finding (R60 to R65). Reads the events only if a figure was ever published.

    Raises UsageError if there is no such database, RetryLater if it is away.
    """
    if not has_published(url):
        return []
    catalog = Catalog.load()
    published = compare_published(from_accounts(url, catalog), Versions(catalog.version, law_version()))
    return [finding.to_json() for finding in published.findings]
