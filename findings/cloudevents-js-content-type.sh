#!/usr/bin/env bash
# cloudevents 10.0.0 (npm) writes datacontenttype twice in Kafka's binary mode, as content-type and as ce_datacontenttype; the binding and cloudevents 2.2.0 (PyPI) know content-type alone.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > npm.log
npm install --silent --no-audit --no-fund cloudevents@10.0.0
cat > seen.mjs <<'JS'
import { CloudEvent, Kafka } from 'cloudevents'
const event = new CloudEvent({ id: '1', type: 'a.b', source: '/a', datacontenttype: 'application/avro', data: Buffer.from([0]) })
const { headers } = Kafka.binary(event)
for (const name of ['content-type', 'ce_datacontenttype']) console.log('npm', name, headers[name])
JS
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cloudevents==2.2.0
cat > seen.py <<'PYTHON'
from cloudevents.core.bindings.kafka import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

attributes = {"id": "1", "type": "a.b", "source": "/a", "specversion": "1.0", "datacontenttype": "application/avro"}
headers = to_binary(CloudEvent(attributes, b"\0"), JSONFormat()).headers
for name in ("content-type", "ce_datacontenttype"):
    print("pypi", name, headers.get(name, b"absent").decode())
PYTHON
{ node seen.mjs; venv/bin/python seen.py; } | tee seen
diff seen - <<'EXPECTED'
npm content-type application/avro
npm ce_datacontenttype application/avro
pypi content-type application/avro
pypi ce_datacontenttype absent
EXPECTED
