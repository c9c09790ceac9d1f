"""Avro's schema resolution: what stops a reader with one schema from reading what another schema wrote.

As in the Avro specification ("Schema Resolution"), for data of any value. Logical types play no part in it:
Avro resolves the types beneath them, which is why the bus freezes them (evolution.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from .schema_problem import Place, Problem
from .schema_tree import Definitions, Schema, definitions, kind_of, normalised, written_out

_PROMOTIONS: Mapping[str, frozenset[str]] = {
    "long": frozenset({"int"}),
    "float": frozenset({"int", "long"}),
    "double": frozenset({"int", "long", "float"}),
    "bytes": frozenset({"string"}),
}
"""What a reader's primitive also reads. Avro promotes bytes to text too, but not all bytes are UTF-8."""


def read_problems(reader: Schema, writer: Schema) -> list[Problem]:
    """Why some value written with `writer` cannot be read with `reader`; empty if every value can.

    Places are those of the reader's schema.
    """
    read, written = normalised(reader), normalised(writer)
    return list(_Resolver(definitions(read), definitions(written)).problems(read, written, Place()))


class _Resolver:
    def __init__(self, readers: Definitions, writers: Definitions) -> None:
        self._readers = readers
        self._writers = writers
        self._met: set[tuple[str, str]] = set()

    def problems(self, reader: Schema, writer: Schema, place: Place) -> Iterator[Problem]:
        if isinstance(writer, list):
            for branch in writer:
                yield from self.problems(reader, branch, place)
            return
        if isinstance(reader, list):
            yield from self._reader_union(reader, writer, place)
            return
        read_kind, written_kind = kind_of(reader, self._readers), kind_of(writer, self._writers)
        if read_kind != written_kind:
            if written_kind not in _PROMOTIONS.get(read_kind, ()):
                yield Problem(
                    "type-mismatch",
                    place,
                    "the type is another",
                    found=read_kind,
                    expected=written_kind,
                    remedy="keep the type and add a new field beside it",
                )
            return
        read, written = written_out(reader, self._readers), written_out(writer, self._writers)
        if read_kind in ("record", "enum", "fixed"):
            yield from self._named(read_kind, read, written, place)
        elif read_kind == "array":
            yield from self.problems(read["items"], written["items"], place.item("items"))
        elif read_kind == "map":
            yield from self.problems(read["values"], written["values"], place.item("values"))

    def _reader_union(self, reader: list[Schema], writer: Schema, place: Place) -> Iterator[Problem]:
        attempts = []
        for index, branch in enumerate(reader):
            # A branch that was tried in vain must not count as met.
            met = set(self._met)
            found = list(self.problems(branch, writer, place.child(index)))
            if not found:
                return
            self._met = met
            attempts.append((branch, found))
        same_kind = [
            found
            for branch, found in attempts
            if kind_of(branch, self._readers) == kind_of(writer, self._writers)
        ]
        if len(same_kind) == 1:
            yield from same_kind[0]
            return
        yield Problem(
            "missing-union-branch",
            place,
            "no branch of the union reads it",
            found=" | ".join(kind_of(branch, self._readers) for branch in reader),
            expected=f"a branch for {kind_of(writer, self._writers)}",
            remedy="keep every branch that was ever written",
        )

    def _named(
        self, kind: str, reader: Mapping[str, Any], writer: Mapping[str, Any], place: Place
    ) -> Iterator[Problem]:
        pair = reader["name"], writer["name"]
        if pair in self._met:
            return
        self._met.add(pair)
        if reader["name"] != writer["name"] and writer["name"] not in reader.get("aliases", ()):
            yield Problem(
                "name-mismatch",
                place.child("name"),
                f"the {kind} has another name",
                found=reader["name"],
                expected=writer["name"],
                remedy="keep name and namespace",
            )
            return
        if kind == "fixed" and reader["size"] != writer["size"]:
            yield Problem(
                "fixed-size-mismatch",
                place.child("size"),
                f"the size of {reader['name']} is another",
                found=reader["size"],
                expected=writer["size"],
                remedy="keep it and add a type of a new name",
            )
        elif kind == "enum":
            missing = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
            if missing and reader.get("default") not in reader["symbols"]:
                yield Problem(
                    "missing-enum-symbols",
                    place.child("symbols"),
                    f"{reader['name']} does not know every symbol and has no default",
                    found=", ".join(reader["symbols"]),
                    expected=", ".join(missing),
                    remedy="give the enum a default in its first version",
                )
        elif kind == "record":
            yield from self._fields(reader, writer, place)

    def _fields(
        self, reader: Mapping[str, Any], writer: Mapping[str, Any], place: Place
    ) -> Iterator[Problem]:
        written = {field["name"]: field for field in writer["fields"]}
        for index, field in enumerate(reader["fields"]):
            here = place.field(index, field["name"])
            names = [field["name"], *field.get("aliases", ())]
            source = next((written[name] for name in names if name in written), None)
            if source is not None:
                yield from self.problems(field["type"], source["type"], here.child("type"))
            elif "default" not in field:
                yield Problem(
                    "reader-field-missing-default-value",
                    here,
                    f"the field {field['name']} has no default and was not always written",
                    expected="a default",
                    remedy="give the field a default, in every version that has it",
                )
