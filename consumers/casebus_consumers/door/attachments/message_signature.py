"""HTTP message signatures (RFC 9421) by an agency's Ed25519 key: how one door says to another who asks."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence import ed25519
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey

LABEL, TAG = "casebus", "casebus-door"
COMPONENTS = ("@method", "@authority", "@path", "range")
"""What is signed; `range` also where there is none, as an empty value: it cannot be added on the way."""
TERM_S = 60
"""So long before and after its `created` a signature holds."""
_INPUT = re.compile(
    LABEL + r'=(\("@method" "@authority" "@path" "range"\);created=(\d{1,12});'
    r'keyid="([a-z]{2,20}):([0-9a-f]{64})";alg="ed25519";tag="' + TAG + r'")\Z'
)
_SIGNATURE = re.compile(LABEL + r"=:([A-Za-z0-9+/]{86}==):\Z")


def signature_base(components: Sequence[tuple[str, str]], parameters: str) -> bytes:
    """What is signed (RFC 9421, 2.5): a line for each component, then the parameters as they are sent."""
    lines = [f'"{name}": {value}' for name, value in components]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode("ascii")


def signed_headers(
    key: SigningKey, agency: str, *, method: str, authority: str, path: str, range: str, now_s: int
) -> dict[str, str]:
    """The two headers that sign a request."""
    names = " ".join(f'"{name}"' for name in COMPONENTS)
    keyid = f"{agency}:{key.key_id.hex()}"
    parameters = f'({names});created={now_s};keyid="{keyid}";alg="ed25519";tag="{TAG}"'
    values = zip(COMPONENTS, (method, authority.lower(), path, range), strict=True)
    signature = key.sign(signature_base(list(values), parameters))[-64:]
    return {
        "signature-input": f"{LABEL}={parameters}",
        "signature": f"{LABEL}=:{b64encode(signature).decode()}:",
    }


def agency_that_signed(
    headers: Mapping[str, str], *, method: str, path: str, keys: Callable[[], Keyring], now_ms: int
) -> str:
    """The agency whose key signed a request. Raises UsageError where none did, as far as it is known now."""
    said = _INPUT.match(headers.get("signature-input", ""))
    given = _SIGNATURE.match(headers.get("signature", ""))
    if said is None or given is None:
        raise _unsigned(
            "no signature of a door", "signature-input and signature as docs/agency-system.md has them"
        )
    parameters, created, agency, key_id = said.groups()
    if abs(now_ms / 1_000 - int(created)) > TERM_S:
        raise _unsigned(f"created={created}", f"a time within {TERM_S} seconds of now")
    entry = keys().find(agency, bytes.fromhex(key_id))
    if entry is None:
        raise _unsigned(f"an unknown key of {agency}", "a key that the agency has announced")
    now = Record("", 0, 0, now_ms, 1, None, None, ())
    if (why := entry.why_not(now, now_ms)) is not None:
        raise _unsigned(why, "a valid key")
    values = (method, headers.get("host", "").lower(), path, headers.get("range", ""))
    base = signature_base(list(zip(COMPONENTS, values, strict=True)), parameters)
    if not ed25519.verify(entry.public, b64decode(given[1]), base):
        raise _unsigned("a signature that does not hold", "one of this very request")
    return agency


def _unsigned(found: str, expected: str) -> UsageError:
    return UsageError("nobody has signed this request", found=found, expected=expected)
