"""SM2 signatures with SM3 (GB/T 32918.2, GM/T 0003.2), where the optional package gmssl-pyx is installed.

A signature is r | s, 32 bytes each, both from 1 to the order less one; what is signed is SM3 of Z | message,
with Z for the signer id of GM/T 0009. The package is loaded only where an SM2 key is met.
"""

from typing import Any

PUBLIC_LENGTH = 64
"""Of a public key: x | y of its point."""
PRIVATE_LENGTH = 32
SIGNATURE_LENGTH = 64
SIGNER_ID = b"1234567812345678"

PRIME = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
"""Of the curve y^2 = x^3 - 3x + b (GB/T 32918.5), whose points all are of the one group of prime order."""

_TRIED = b"casebus/sm2/tried/v1\n"


def missing() -> str | None:
    """What to install before SM2 can be used; None where it can."""
    try:
        _library()
    except ModuleNotFoundError:
        return "SM2 needs the package gmssl-pyx, which is not installed: pip install 'casebus[sm2]'"
    return None


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether these 64 bytes sign the message under the public key.

    Never raises for bytes of any length; False where the package is missing.
    """
    if missing() is not None or len(public) != PUBLIC_LENGTH or len(signature) != SIGNATURE_LENGTH:
        return False
    halves = signature[:PRIVATE_LENGTH], signature[PRIVATE_LENGTH:]
    if not all(1 <= int.from_bytes(half) < ORDER for half in halves) or not _on_curve(public):
        return False
    library = _library()
    try:
        return bool(library.sm2_verify(public, message, _der(*halves), SIGNER_ID))
    except library.GmsslInnerError:
        return False


def check_public_key(public: bytes) -> None:
    """Raises ValueError for what is no point of the curve, and where the package is missing."""
    if (lacking := missing()) is not None:
        raise ValueError(lacking)
    if len(public) != PUBLIC_LENGTH:
        raise ValueError(f"an SM2 public key of {len(public)} bytes, expected {PUBLIC_LENGTH}")
    if not _on_curve(public):
        raise ValueError(f"SM2 public key {public.hex()[:16]}… is no point of the curve")


class PrivateKey:
    """An SM2 private key made of its number of 32 bytes and its public key.

    Raises ValueError where they do not belong together, or the package is missing.
    """

    __slots__ = ("_private", "public")

    def __init__(self, private: bytes, public: bytes) -> None:
        check_public_key(public)
        if len(private) != PRIVATE_LENGTH or not 1 <= int.from_bytes(private) < ORDER - 1:
            raise ValueError("an SM2 private key is a number of 32 bytes below the order of the group")
        self._private, self.public = private, public
        if not verify(public, self.sign(_TRIED), _TRIED):
            raise ValueError("the private and the public SM2 key do not belong together")

    def sign(self, message: bytes) -> bytes:
        """A signature, 64 bytes; other ones each time, since SM2 draws a random number for each."""
        signed = _library().sm2_sign(self._private, self.public, message, SIGNER_ID)
        return b"".join(_numbers(signed))


def new_key() -> tuple[bytes, bytes]:
    """A new private key and its public key. Raises ValueError where the package is missing."""
    if (lacking := missing()) is not None:
        raise ValueError(lacking)
    public, private = _library().sm2_key_generate()
    return bytes(private), bytes(public)


def _library() -> Any:
    import gmssl_pyx

    return gmssl_pyx


def _on_curve(public: bytes) -> bool:
    x, y = int.from_bytes(public[:PRIVATE_LENGTH]), int.from_bytes(public[PRIVATE_LENGTH:])
    return x < PRIME and y < PRIME and (y * y - x * x * x + 3 * x - _B) % PRIME == 0


def _der(*halves: bytes) -> bytes:
    """SEQUENCE of two INTEGERs, as GM/T 0009 has it and the package wants it."""
    body = b""
    for half in halves:
        number = half.lstrip(b"\0")
        number = b"\0" + number if number[0] & 0x80 else number
        body += bytes((2, len(number))) + number
    return bytes((0x30, len(body))) + body


def _numbers(der: bytes) -> list[bytes]:
    """The two numbers of what `_der` makes, 32 bytes each."""
    first = der[3]
    found = der[4 : 4 + first], der[6 + first :]
    return [int.from_bytes(one).to_bytes(PRIVATE_LENGTH) for one in found]
