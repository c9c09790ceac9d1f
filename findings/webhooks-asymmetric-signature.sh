#!/usr/bin/env bash
# standardwebhooks 1.1.0 (Python, the reference library of Standard Webhooks) refuses a valid message that is signed with the specification's asymmetric scheme (v1a, Ed25519) alone.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0 PyNaCl==1.6.1
"$folder/venv/bin/python" - <<'PYTHON'
import base64
import time
from datetime import datetime, timezone

from nacl.signing import SigningKey
from standardwebhooks import Webhook, WebhookVerificationError

body, id, now = '{"type": "example"}', "msg_1", int(time.time())
key = SigningKey(bytes(range(32)))
asymmetric = "v1a," + base64.b64encode(key.sign(f"{id}.{now}.{body}".encode()).signature).decode()
secret = Webhook("whsec_" + base64.b64encode(bytes(32)).decode())
symmetric = secret.sign(id, datetime.fromtimestamp(now, timezone.utc), body)
headers = {"webhook-id": id, "webhook-timestamp": str(now)}

assert secret.verify(body, headers | {"webhook-signature": f"{asymmetric} {symmetric}"}) == {"type": "example"}
print("v1a and v1 together: accepted, by the v1 signature")
public = "whpk_" + base64.b64encode(bytes(key.verify_key)).decode()
try:
    Webhook(public).verify(body, headers | {"webhook-signature": asymmetric})
    raise SystemExit("v1a alone, with the public key: accepted, which this finding says it is not")
except (WebhookVerificationError, ValueError) as error:
    print(f"v1a alone, with the public key (whpk_…): {type(error).__name__}: {error}")
try:
    secret.verify(body, headers | {"webhook-signature": asymmetric})
    raise SystemExit("v1a alone: accepted, which this finding says it is not")
except WebhookVerificationError as error:
    print(f"v1a alone: {error}")
PYTHON
