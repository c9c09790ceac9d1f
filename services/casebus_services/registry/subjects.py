"""Which subjects the catalogue amounts to, and which schema versions stand under each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from casebus_schemas.catalogue.catalog import RECEIPTS, Catalog, EventSchema, EventType
from casebus_schemas.catalogue.topology import TopicSpec, topics

from .posted import Posted, identity

VALUE = "-value"
"""Clients' default subject: topic + this. It holds many types here, so it answers look-ups only."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A schema under a subject, with its version there."""

    subject: str
    version: int
    schema: EventSchema


def types_on(topic: TopicSpec, types: Mapping[str, EventType]) -> Iterator[str]:
    """Names of the event types whose values may stand in a topic's records.

    Admissions, notices and dead letters hold other topics' values byte for byte.
    """
    for name, entry in types.items():
        spoken = entry.channel != RECEIPTS and entry.channel != "command"
        by_agency = spoken and bool(entry.speakers - {"bus"}) and entry.channel != "key"
        match topic.channel:
            case "admission" | "dead-letter":
                allowed = by_agency
            case "inbox":
                allowed = by_agency or entry.channel in ("finding", "obligation")
            case "receipt":
                allowed = entry.channel == RECEIPTS
            case channel:
                allowed = entry.channel == channel and topic.agency in entry.speakers
        if allowed:
            yield name


class Subjects:
    """`<record name>` and `<topic>-<record name>` for every type, each with the versions of that type.

    `<topic>-value` holds every schema allowed on the topic, without a version history.
    """

    def __init__(self, catalog: Catalog) -> None:
        by_type: dict[str, list[EventSchema]] = {}
        for schema in catalog.schemas():
            by_type.setdefault(schema.type, []).append(schema)
        self._by_id = {schema.id: schema for schema in catalog.schemas()}
        self._identities = {id_: identity(schema.schema) for id_, schema in self._by_id.items()}
        self._histories: dict[str, dict[int, EventSchema]] = {}
        self._values: dict[str, tuple[EventSchema, ...]] = {}
        self._subjects_of: dict[int, list[Placed]] = {}
        for schemas in by_type.values():
            self._add(str(schemas[-1].schema["name"]), schemas)
        for topic in topics():
            allowed = [by_type[name] for name in types_on(topic, catalog.types) if name in by_type]
            for schemas in allowed:
                self._add(f"{topic.name}-{schemas[-1].schema['name']}", schemas)
            self._values[topic.name + VALUE] = tuple(schema for one in allowed for schema in one)

    def _add(self, subject: str, schemas: Sequence[EventSchema]) -> None:
        self._histories[subject] = {schema.version: schema for schema in schemas}
        for schema in schemas:
            self._subjects_of.setdefault(schema.id, []).append(Placed(subject, schema.version, schema))

    @property
    def names(self) -> list[str]:
        """All subjects with a version history, in order."""
        return sorted(self._histories)

    def history(self, subject: str) -> Mapping[int, EventSchema] | None:
        """Versions of a subject by number; None if there is no such history."""
        return self._histories.get(subject)

    def values(self, subject: str) -> tuple[EventSchema, ...] | None:
        """What may stand on the topic of a `<topic>-value` subject; None if it is not one."""
        return self._values.get(subject)

    def among(self, subject: str) -> Sequence[EventSchema]:
        """The schemas that a look-up under a subject can find: none if there is no such subject."""
        history = self._histories.get(subject)
        return self._values.get(subject, ()) if history is None else list(history.values())

    def schema(self, id: int) -> EventSchema | None:
        """The schema of that id."""
        return self._by_id.get(id)

    def find(self, posted: Posted, among: Sequence[EventSchema]) -> EventSchema | None:
        """The schema that a client sent, if it is one of these."""
        return next((one for one in among if self._identities[one.id] == posted.identity), None)

    def placed(self, id: int) -> list[Placed]:
        """Where a schema stands, in order of the subjects."""
        return sorted(self._subjects_of.get(id, ()), key=lambda one: one.subject)
