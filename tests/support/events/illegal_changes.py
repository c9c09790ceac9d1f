"""Changes of a schema that must be refused, each with the rule that it breaks."""

from typing import Any

from .schema_changes import (
    BASE,
    DECIMAL,
    DIGEST,
    MOMENT,
    STATE,
    WHOLE_PARTY,
    Change,
    Op,
    add,
    alter,
    drop,
    of,
    renamed_type,
    retype,
    top,
    version,
)


def _case(name: str, rule: str, *steps: list[Op], transitive: bool = False, first: Any = BASE) -> Change:
    made = [first]
    for ops in steps:
        made.append(version(*ops, start=made[-1]))
    return Change(name, tuple(made), rule, transitive)


def _decimal(precision: int, scale: int) -> dict[str, Any]:
    return {**DECIMAL, "precision": precision, "scale": scale}


_BARE_STATE = retype("casebus.State", without="default")
_MORE = retype("casebus.State", symbols=["open", "closed", "other", "held"])
_AGAIN = retype("casebus.State", default="other")
_GONE_DIGEST = drop("digest")

ILLEGAL: tuple[Change, ...] = (
    # --- what readers cannot read
    _case("a required field comes", "reader-field-missing-default-value", [add(of("code", "string"))]),
    _case("a required field goes", "reader-field-missing-default-value", [drop("title")]),
    _case("a required record goes", "reader-field-missing-default-value", [drop("party", "parties")]),
    _case(
        "a required field comes within a record",
        "reader-field-missing-default-value",
        [add(of("seat", "string"), within="casebus.Party")],
    ),
    _case(
        "a required field goes within a record",
        "reader-field-missing-default-value",
        [drop("ref", within="casebus.Party")],
    ),
    _case(
        "a field may now be null", "type-mismatch", [alter("title", type=["null", "string"], default=None)]
    ),
    _case("a field may be null no more", "type-mismatch", [alter("note", type="string", default="")]),
    _case("text to number", "type-mismatch", [alter("title", type="int")]),
    _case("int to long", "type-mismatch", [alter("count", type="long")]),
    _case("long to int", "type-mismatch", [alter("no", type="int")]),
    _case("int to double", "type-mismatch", [alter("count", type="double")]),
    _case("yes or no to text", "type-mismatch", [alter("urgent", type="string", default="no")]),
    _case("one to many", "type-mismatch", [alter("title", type={"type": "array", "items": "string"})]),
    _case("many to one", "type-mismatch", [alter("tags", type="string", default="")]),
    _case(
        "yes or no to a record",
        "type-mismatch",
        [
            alter(
                "urgent",
                without="default",
                type={"type": "record", "name": "casebus.Urgency", "doc": "U.", "fields": []},
            )
        ],
    ),
    _case("an enum to text", "type-mismatch", [alter("state", type="string")]),
    _case("a digest to bytes", "type-mismatch", [alter("digest", type="bytes")]),
    _case(
        "a list of text to one of numbers",
        "type-mismatch",
        [alter("tags", type={"type": "array", "items": "long"})],
    ),
    _case(
        "items may now be null",
        "type-mismatch",
        [alter("tags", type={"type": "array", "items": ["null", "string"]})],
    ),
    _case(
        "a nullable field of another type",
        "missing-union-branch",
        [alter("note", type=["null", "int"], default=None)],
    ),
    _case(
        "a symbol for readers without a default", "missing-enum-symbols", [_MORE], first=version(_BARE_STATE)
    ),
    _case(
        "a symbol and a default too late",
        "missing-enum-symbols",
        [_MORE, _AGAIN],
        first=version(_BARE_STATE),
    ),
    _case(
        "a symbol goes without a default",
        "enum-default",
        [_BARE_STATE, retype("casebus.State", symbols=["open"])],
    ),
    _case("an enum loses its default", "enum-default", [_BARE_STATE]),
    _case("an enum's default is no symbol", "enum-default", [retype("casebus.State", default="lost")]),
    _case("a digest of another size", "fixed-size-mismatch", [retype("casebus.Digest", size=64)]),
    _case("a smaller digest", "fixed-size-mismatch", [retype("casebus.Digest", size=20)]),
    # --- what Avro would let pass
    _case("decimal precision up", "frozen-logical-type", [alter("amount", type=_decimal(20, 2))]),
    _case("decimal precision down", "frozen-logical-type", [alter("amount", type=_decimal(16, 2))]),
    _case("decimal scale up", "frozen-logical-type", [alter("amount", type=_decimal(18, 4))]),
    _case("decimal scale down", "frozen-logical-type", [alter("amount", type=_decimal(18, 0))]),
    _case(
        "decimal scale of a nullable", "frozen-logical-type", [alter("paid", type=["null", _decimal(18, 3)])]
    ),
    _case(
        "decimal scale within a record",
        "frozen-logical-type",
        [alter("share", within="casebus.Party", type=["null", _decimal(18, 4)])],
    ),
    _case("a decimal to plain bytes", "frozen-logical-type", [alter("amount", type="bytes")]),
    _case("plain bytes to a decimal", "frozen-logical-type", [alter("body", type=["null", DECIMAL])]),
    _case(
        "milliseconds to microseconds",
        "frozen-logical-type",
        [alter("at", type={**MOMENT, "logicalType": "timestamp-micros"})],
    ),
    _case(
        "milliseconds to local time",
        "frozen-logical-type",
        [alter("at", type={**MOMENT, "logicalType": "local-timestamp-millis"})],
    ),
    _case("a time to a plain number", "frozen-logical-type", [alter("at", type="long")]),
    _case("a plain number to a time", "frozen-logical-type", [alter("no", type=MOMENT)]),
    _case("a day to a plain number", "frozen-logical-type", [alter("day", type=["null", "int"])]),
    _case(
        "a day to a time of day",
        "frozen-logical-type",
        [alter("day", type=["null", {"type": "int", "logicalType": "time-millis"}])],
    ),
    _case("text to bytes", "text-and-bytes", [alter("title", type="bytes")]),
    _case("bytes to text", "text-and-bytes", [alter("body", type=["null", "string"])]),
    # --- names
    _case("another record name", "frozen-name", [top(name="casebus.demo.Told")]),
    _case(
        "another record name with an alias",
        "frozen-name",
        [top(name="casebus.demo.Told", aliases=["casebus.demo.Said"])],
    ),
    _case("another namespace", "frozen-name", [top(name="casebus.other.Said")]),
    _case("another namespace, written apart", "frozen-name", [top(name="Said", namespace="casebus.other")]),
    _case("an enum of another name", "name-mismatch", [renamed_type("casebus.State", "casebus.Stage")]),
    _case("a digest of another name", "name-mismatch", [renamed_type("casebus.Digest", "casebus.Hash")]),
    _case("a record of another name", "name-mismatch", [renamed_type("casebus.Party", "casebus.Person")]),
    _case(
        "a record of another name with an alias",
        "name-mismatch",
        [renamed_type("casebus.Party", "casebus.Person", aliases=["casebus.Party"])],
    ),
    _case(
        "a record in another namespace",
        "name-mismatch",
        [renamed_type("casebus.Party", "casebus.demo.Party")],
    ),
    _case("a rename without an alias", "rename-without-alias", [alter("note", name="remark")]),
    _case(
        "a rename without an alias within a record",
        "rename-without-alias",
        [alter("role", within="casebus.Party", name="office")],
    ),
    _case(
        "two renames side by side without aliases",
        "rename-without-alias",
        [alter("tags", name="words"), alter("urgent", name="pressing")],
    ),
    _case(
        "a rename with an alias of a field that had no default",
        "reader-field-missing-default-value",
        [alter("title", name="heading", aliases=["title"])],
    ),
    _case("an alias that is another field's name", "alias-re-used", [alter("title", aliases=["note"])]),
    _case(
        "one alias of two fields",
        "alias-re-used",
        [alter("title", aliases=["x"]), alter("count", aliases=["x"])],
    ),
    _case(
        "a former name for a new field",
        "alias-re-used",
        [alter("note", name="remark", aliases=["note"])],
        [add(of("note", ["null", "string"]))],
    ),
    _case(
        "an alias of a field that went for a new field",
        "alias-re-used",
        [alter("note", name="remark", aliases=["note"])],
        [drop("remark"), add(of("words", ["null", "string"], aliases=["note"]))],
    ),
    _case(
        "an alias that joins two fields",
        "alias-re-used",
        [add(of("remark", ["null", "string"]))],
        [drop("note"), alter("remark", aliases=["note"])],
    ),
    _case(
        "a former name is forgotten",
        "rename-without-alias",
        [alter("note", name="remark", aliases=["note"])],
        [alter("remark", without="aliases")],
    ),
    # --- what only a version further back shows
    _case(
        "the default of a later field is dropped",
        "reader-field-missing-default-value",
        [add(of("tries", "int", default=0))],
        [alter("tries", without="default")],
        transitive=True,
    ),
    _case(
        "a field comes back as another type",
        "missing-union-branch",
        [drop("note")],
        [add(of("note", ["null", "long"]))],
        transitive=True,
    ),
    _case(
        "an amount comes back with another scale",
        "frozen-logical-type",
        [drop("paid")],
        [add(of("paid", ["null", _decimal(18, 4)]))],
        transitive=True,
    ),
    _case(
        "a day comes back as a plain number",
        "frozen-logical-type",
        [drop("day")],
        [add(of("day", ["null", "int"]))],
        transitive=True,
    ),
    _case(
        "bytes come back as text",
        "text-and-bytes",
        [drop("body")],
        [add(of("body", ["null", "string"]))],
        transitive=True,
    ),
    _case(
        "a name comes back as another kind of type",
        "frozen-kind",
        [_GONE_DIGEST],
        [add(of("sum", ["null", {**STATE, "name": "casebus.Digest"}]))],
        transitive=True,
        first=version(alter("digest", type=["null", DIGEST], default=None)),
    ),
    _case(
        "a name comes back with another size",
        "fixed-size-mismatch",
        [_GONE_DIGEST],
        [add(of("sum", ["null", {**DIGEST, "size": 64}]))],
        transitive=True,
        first=version(alter("digest", type=["null", DIGEST], default=None)),
    ),
    _case(
        "a symbol for the readers of long ago",
        "missing-enum-symbols",
        [_AGAIN],
        [_MORE],
        transitive=True,
        first=version(_BARE_STATE),
    ),
    _case(
        "a record comes back with a required field",
        "reader-field-missing-default-value",
        [drop("deputy")],
        [
            add(
                of(
                    "deputy",
                    [
                        "null",
                        {
                            "type": "record",
                            "name": "casebus.Deputy",
                            "doc": "A.",
                            "fields": [of("a", "long"), of("b", "long")],
                        },
                    ],
                )
            )
        ],
        transitive=True,
        first=version(
            add(
                of(
                    "deputy",
                    [
                        "null",
                        {
                            "type": "record",
                            "name": "casebus.Deputy",
                            "doc": "A.",
                            "fields": [of("a", "long")],
                        },
                    ],
                )
            )
        ),
    ),
    _case(
        "a former name for a new field, two versions later",
        "alias-re-used",
        [alter("note", name="remark", aliases=["note"])],
        [drop("remark")],
        [add(of("words", ["null", "string"], aliases=["remark"]))],
        transitive=True,
    ),
    _case(
        "an item type comes back",
        "type-mismatch",
        [drop("tags")],
        [add(of("tags", {"type": "array", "items": "long"}, default=[]))],
        transitive=True,
    ),
    # --- what a schema must be by itself
    _case("a field without doc", "undocumented", [add(of("x", ["null", "long"], doc=" "))]),
    _case("a type without doc", "undocumented", [retype("casebus.Party", without="doc")]),
    _case(
        "text without pii",
        "pii",
        [add({"name": "x", "type": ["null", "string"], "default": None, "doc": "X."})],
    ),
    _case("a list of text without pii", "pii", [alter("tags", without="pii")]),
    _case("personal data in clear", "pii", [alter("title", pii="high")]),
    _case("an unknown mark", "pii", [alter("title", pii="secret")]),
    _case("a nullable field without a default", "nullable-default", [alter("note", without="default")]),
    _case(
        "a nullable field with another default",
        "nullable-default",
        [add(of("x", ["string", "null"], default=""))],
    ),
    _case("a default of another type", "default-mismatch", [alter("count", default="one")]),
    _case("a default that is no symbol", "default-mismatch", [add(of("x", "casebus.State", default="lost"))]),
    _case(
        "a default of a record without a field",
        "default-mismatch",
        [add(of("x", "casebus.Party", default={"name": None}))],
    ),
    _case("a union of three", "unsupported", [add(of("x", ["null", "long", "string"]))]),
    _case("null last", "unsupported", [add(of("x", ["long", "null"], default=0))]),
    _case(
        "a type within itself",
        "unsupported",
        [add(of("deputy", ["null", "casebus.Party"]), within="casebus.Party")],
    ),
    _case("a map", "unsupported", [add(of("x", {"type": "map", "values": "long"}, default={}))]),
    _case("a float", "unsupported", [add(of("x", "float", default=0.0))]),
    _case("a nullable float", "unsupported", [add(of("x", ["null", "float"]))]),
    _case("a list of floats", "unsupported", [add(of("x", {"type": "array", "items": "float"}, default=[]))]),
    _case(
        "a unit of time that nobody reads",
        "unsupported",
        [add(of("x", ["null", {"type": "long", "logicalType": "timestamp-micros"}]))],
    ),
    _case(
        "a decimal without a scale",
        "unsupported",
        [add(of("x", ["null", {"type": "bytes", "logicalType": "decimal", "precision": 9}]))],
    ),
    _case("a list of nulls", "unsupported", [add(of("x", {"type": "array", "items": "null"}, default=[]))]),
    _case(
        "a list of empty records",
        "unsupported",
        [
            add(
                of(
                    "x",
                    {
                        "type": "array",
                        "items": {"type": "record", "name": "casebus.E", "doc": "E.", "fields": []},
                    },
                    default=[],
                )
            )
        ],
    ),
    _case("an unknown type", "malformed", [add(of("x", ["null", "casebus.Nowhere"]))]),
    _case("a type defined twice", "malformed", [add(of("x", ["null", DIGEST]))]),
    _case("too many fields", "too-large", [add(of(f"x{n}", ["null", "long"])) for n in range(300)]),
    _case("too many bytes", "too-large", [add(of("x", ["null", "long"], doc="x" * 65536))]),
    _case(
        "a whole default forgets a later field",
        "default-mismatch",
        [add(of("x", "casebus.Party", default={**WHOLE_PARTY, "ref": 1}))],
    ),
)
