"""Base64url without padding, each value in its one canonical spelling: how headers hold bytes."""

import base64
import binascii

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_", b"+/")


def to_base64url(raw: bytes) -> str:
    """Base64url without padding."""
    return base64url_bytes(raw).decode()


def base64url_bytes(raw: bytes) -> bytes:
    """The same as the bytes of a header."""
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=")


def from_base64url(text: str, length: int) -> bytes:
    """Bytes of canonical base64url text without padding. Raises ValueError unless they are `length` bytes."""
    try:
        quick = canonical_bytes(text.encode("ascii"), length)
    except ValueError:
        quick = None
    if quick is not None:
        return quick
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64url: {error}") from error
    if len(raw) != length:
        raise ValueError(f"{len(raw)} bytes, expected {length}")
    if to_base64url(raw) != text:
        raise ValueError("not the canonical base64url spelling of its bytes")
    return raw


def canonical_bytes(text: bytes, length: int) -> bytes | None:
    """Bytes of canonical base64url, None for any other text. Raises ValueError (binascii.Error)."""
    raw = binascii.a2b_base64(text.translate(_STANDARD) + b"=" * (-len(text) % 4))
    return raw if len(raw) == length and base64url_bytes(raw) == text else None
