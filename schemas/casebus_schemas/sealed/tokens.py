"""Match tokens: who is the same person, told without saying who, under a key that the bus does not have."""

import unicodedata
from collections.abc import Iterable, Mapping
from hmac import digest as hmac
from typing import Any

from casebus_schemas.errors import UsageError

MOST_YEARS = 3
"""Of so many years, the newest ones, each identifier has a token: a case goes on over a turn of the year."""
_SHORTEST = 32


def normalised(number: str) -> str:
    """A number as tokens take it: NFKC, without blanks, dashes and dots, in capitals."""
    plain = unicodedata.normalize("NFKC", number).upper()
    return "".join(one for one in plain if not one.isspace() and one not in "-‐‑‒–—.·/")


def token(key: bytes, kind: str, number: str) -> bytes:
    """HMAC-SHA-256 under a year's key of `casebus/token/v1`, the kind and the normalised number, 32 bytes."""
    return hmac(key, f"casebus/token/v1\n{kind}\n{normalised(number)}".encode(), "sha256")


def tokens_of(person: Mapping[str, Any], keys: Iterable[bytes]) -> list[bytes]:
    """The tokens of a person of the sealed facts, sorted; a document of another kind has none."""
    documents = [one for one in person["documents"] if one["kind"] != "other"]
    return sorted({token(key, one["kind"], one["number"]) for key in keys for one in documents})


def read_token_keys(text: str, year: int) -> list[bytes]:
    """The keys of a members' key file (`2026 hex`, a line a year) that count in a year, the newest first.

    Raises UsageError naming the line that is not right.
    """
    keys: dict[int, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            of, key = line.split()
            keys[int(of)] = bytes.fromhex(key)
        except ValueError:
            raise _wrong(number) from None
        if len(keys[int(of)]) < _SHORTEST:
            raise _wrong(number)
    return [keys[of] for of in sorted(keys, reverse=True) if of <= year][:MOST_YEARS]


def _wrong(number: int) -> UsageError:
    return UsageError(
        f"line {number} of the file of match token keys", expected="a year and 64 hexadecimal digits or more"
    )
