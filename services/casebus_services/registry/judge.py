"""Whether a schema that a client sent fits the past versions: the gate's own rules, in sentences."""

from collections.abc import Sequence
from typing import Any

from casebus_schemas.catalogue.catalog import EventSchema
from casebus_schemas.catalogue.compatibility import incompatibilities


def broken(new: Any, past: Sequence[EventSchema]) -> list[str]:
    """What the new schema breaks towards the past versions, in both directions; empty if nothing."""
    named = [(f"version {one.version}", one.schema) for one in sorted(past, key=lambda one: one.version)]
    return [problem.text for problem in incompatibilities(new, named)]
