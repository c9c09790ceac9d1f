#!/usr/bin/env bash
# avro 1.12.2 (the Apache Avro package for Python) drops a Decimal's exponent: what fits the schema is written wrong, silently.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check avro==1.12.2
"$folder/venv/bin/python" - <<'PYTHON'
import io
from decimal import Decimal

import avro.io
import avro.schema

SCHEMA = avro.schema.parse(
    '{"type": "record", "name": "Amount", "fields": [{"name": "value", '
    '"type": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}}]}'
)


def written_and_read(text):
    stream = io.BytesIO()
    avro.io.DatumWriter(SCHEMA).write({"value": Decimal(text)}, avro.io.BinaryEncoder(stream))
    stream.seek(0)
    return avro.io.DatumReader(SCHEMA).read(avro.io.BinaryDecoder(stream))["value"]


seen = {text: str(written_and_read(text)) for text in ("46190000", "46190000.00", "1", "1.5", "1.50")}
for text, back in seen.items():
    print(f"written {text:>12}  read back {back:>12}")
# The unscaled digits are written as they stand, so only a Decimal that already has the schema's scale survives.
assert seen == {"46190000": "461900.00", "46190000.00": "46190000.00", "1": "0.01", "1.5": "0.15", "1.50": "1.50"}
PYTHON
