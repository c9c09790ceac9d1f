"""Fills the schema registry that a stack names to its clients."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from casebus_deploy.schema_tools.registry_push import push
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater


def fill_registry(url: str, step: AbstractContextManager[None], say: Callable[[str], None]) -> None:
    """Brings an external registry up to the catalogue; if it is down, that is said and nothing else."""
    try:
        with step:
            list(push(url, Catalog.load()))
    except RetryLater as error:
        say(f"{error.detail}; later: casebus schemas push")
