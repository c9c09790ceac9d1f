#!/usr/bin/env bash
# opentelemetry-sdk 1.45.2 (Python): a sampled root span has trace flags 03, not 01, since the SDK also sets the bit for random trace ids; whoever compares the last field of traceparent with "01" takes it for not sampled.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.2
"$folder/venv/bin/python" - <<'PYTHON'
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import set_span_in_context

span = TracerProvider().get_tracer("finding").start_span("a root span")
carrier: dict[str, str] = {}
inject(carrier, set_span_in_context(span))
version, _, _, flags = carrier["traceparent"].split("-")
print(f"traceparent version {version}, flags {flags}; sampled: {span.get_span_context().trace_flags.sampled}")
assert (version, flags) == ("00", "03"), carrier
PYTHON
