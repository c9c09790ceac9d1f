#!/usr/bin/env bash
# avro 1.12.2 (the Apache Avro package for Python) does not use an enum's default for a symbol that the reader does not know, as the specification asks; fastavro 1.13.1 does.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check avro==1.12.2 fastavro==1.13.1
"$folder/venv/bin/python" - <<'PYTHON'
import io

import avro.io
import avro.schema
import fastavro
from avro.errors import SchemaResolutionException


def schema(*symbols):
    level = {"type": "enum", "name": "Level", "symbols": list(symbols), "default": "low"}
    return {"type": "record", "name": "Case", "fields": [{"name": "level", "type": level}]}


writer, reader = schema("low", "high", "extreme"), schema("low", "high")
out = io.BytesIO()
fastavro.schemaless_writer(out, writer, {"level": "extreme"})
seen = fastavro.schemaless_reader(io.BytesIO(out.getvalue()), writer, reader)
print("fastavro:", seen)
assert seen == {"level": "low"}
parsed = (avro.schema.make_avsc_object(one) for one in (writer, reader))
try:
    found = avro.io.DatumReader(*parsed).read(avro.io.BinaryDecoder(io.BytesIO(out.getvalue())))
    raise SystemExit(f"avro: {found}, which this finding says it does not give")
except SchemaResolutionException as error:
    print("avro:", type(error).__name__, str(error).splitlines()[0])
PYTHON
