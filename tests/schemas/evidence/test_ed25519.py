"""One rule for Ed25519, pinned by the public edge cases, and asked wherever a key is registered."""

import json
from pathlib import Path
from typing import Any

import pytest

from casebus_schemas.evidence.ed25519 import PrivateKey, check_public_key, verify

REFUSED_FLAGS = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"}
"""A vector with one of these flags does not hold, every other does: the rule in the words of its authors."""

HONEST_KEY = "ef75b20e7540e3dff77404193652ba2bd13df99c1508eee1515e27ae25f28076"
"""The one key of the 22 in the edge cases that is no trick: of prime order, written canonically."""


def edge_cases(vectors: Path) -> list[dict[str, Any]]:
    """The 914 signatures, each with key, message and flags."""
    cases: list[dict[str, Any]] = json.loads((vectors / "cctv/ed25519/ed25519vectors.json").read_bytes())
    assert len(cases) == 914
    return cases


def test_edge_cases_of_signatures(vectors: Path) -> None:
    """Of 914 edge cases 43 hold, those of which nothing is of small order, not canonical, or left over."""
    held = 0
    for case in edge_cases(vectors):
        holds = verify(bytes.fromhex(case["key"]), bytes.fromhex(case["sig"]), case["msg"].encode())
        assert holds == (not REFUSED_FLAGS & set(case["flags"] or ())), case["number"]
        held += holds
    assert held == 43


def test_keys_of_edge_cases_are_not_registered(vectors: Path) -> None:
    """Of the 22 keys of the edge cases only the honest one may be registered."""
    keys = {case["key"] for case in edge_cases(vectors)}
    assert len(keys) == 22
    for key in keys - {HONEST_KEY}:
        with pytest.raises(ValueError, match="prime order"):
            check_public_key(bytes.fromhex(key))
    check_public_key(bytes.fromhex(HONEST_KEY))


def test_wycheproof(vectors: Path) -> None:
    """Every case of Wycheproof is judged as its authors judge it, and every key of it may be registered."""
    groups = json.loads((vectors / "wycheproof/ed25519_test.json").read_bytes())["testGroups"]
    seen = 0
    for group in groups:
        public = bytes.fromhex(group["publicKey"]["pk"])
        check_public_key(public)
        for case in group["tests"]:
            holds = verify(public, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
            assert holds == (case["result"] == "valid"), case["tcId"]
            seen += 1
    assert seen == 151


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_keys_of_another_length(length: int) -> None:
    """A key that has not 32 bytes is refused, and verifies nothing."""
    with pytest.raises(ValueError, match="expected 32"):
        check_public_key(bytes(length))
    assert not verify(bytes(length), bytes(64), b"")
    with pytest.raises(ValueError, match="expected 32"):
        PrivateKey(bytes(length))


def test_rfc_8032_vector() -> None:
    """The second test of RFC 8032 7.1; another message or a shorter signature does not hold."""
    key = PrivateKey(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert key.public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72") == signature
    assert verify(key.public, signature, b"\x72")
    assert not verify(key.public, signature, b"\x73")
    assert not verify(key.public, signature[:-1], b"\x72")
