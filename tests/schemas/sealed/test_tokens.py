"""Match tokens: the same for the same number however it is written, another each year, for each kind."""

import hmac
from hashlib import sha256

import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.tokens import read_token_keys, token, tokens_of

KEY, NEXT = sha256(b"2026").digest(), sha256(b"2027").digest()
NUMBER = "11010519491231002X"


def test_a_token_is_the_documented_hmac() -> None:
    """HMAC-SHA-256 of domain, kind and number, line by line."""
    message = b"casebus/token/v1\nresident_id\n11010519491231002X"
    assert token(KEY, "resident_id", NUMBER) == hmac.new(KEY, message, sha256).digest()
    # openssl dgst -sha256 -mac HMAC -macopt hexkey:<SHA-256 of 2026> gives the same
    assert (
        token(KEY, "resident_id", NUMBER).hex()
        == "b95105f7b5c987e9896953c0b784e69a6ff64717260222d79df057559e270060"
    )


@pytest.mark.parametrize(
    "written",
    ["11010519491231002x", "110105 19491231 002X", "１１０１０５-1949.1231·002Ｘ", "\u3000" + NUMBER],
)
def test_a_number_is_the_same_however_it_is_written(written: str) -> None:
    """Width, case, blanks and dashes tell nothing apart."""
    assert token(KEY, "resident_id", written) == token(KEY, "resident_id", NUMBER)


def test_kind_year_and_number_tell_apart() -> None:
    """Another kind, key or number has another token."""
    found = {
        token(key, kind, n) for key in (KEY, NEXT) for kind in ("passport", "other") for n in ("E1", "E2")
    }
    assert len(found) == 8


def test_a_person_has_a_token_for_each_number_and_year() -> None:
    """Several tokens a person, sorted; what is called `other` has none, as its number may mean anything."""
    documents = [
        {"kind": "resident_id", "number": NUMBER},
        {"kind": "passport", "number": "E12345678"},
        {"kind": "other", "number": "7"},
    ]
    found = tokens_of({"documents": documents}, [KEY, NEXT])
    assert len(found) == 4
    assert found == sorted(found)
    assert token(NEXT, "passport", "E12345678") in found


def test_the_newest_three_years_up_to_this_one_count() -> None:
    """Cases go on over the turn of a year; a key of a year to come is not used yet."""
    text = "# keys\n" + "".join(
        f"{year} {sha256(str(year).encode()).hexdigest()}\n" for year in range(2022, 2028)
    )
    assert read_token_keys(text, 2026) == [sha256(str(year).encode()).digest() for year in (2026, 2025, 2024)]
    assert read_token_keys("", 2026) == []


@pytest.mark.parametrize("line", ["2026", "2026 abc", "2026 " + "ab" * 31, "year " + "ab" * 32])
def test_a_wrong_line_of_the_key_file_is_named_and_not_shown(line: str) -> None:
    """The error says which line, and repeats nothing of a key."""
    with pytest.raises(UsageError, match="line 2 of") as refused:
        read_token_keys("# keys\n" + line, 2026)
    assert "abab" not in refused.value.detail
