"""Foreign text: whatever steers a terminal or hides is shown, all else stays as it is."""

import json
import sys
import unicodedata

import pytest

from casebus_schemas.texts.harmless import harmless, json_text

EVERY = [chr(number) for number in range(sys.maxunicode + 1)]
STEERING = {c for c in EVERY if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


def test_b9_no_steering_character_stays() -> None:
    """Of all of Unicode no control, format, surrogate or line-separating character passes raw."""
    assert {c for c in STEERING if c in harmless(f"a{c}b")} == set()


def test_b9_letters_of_every_script_stay() -> None:
    """Letters, marks, figures, signs and private characters, rare names among them, are left alone."""
    invisible = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
    kinds = set("LMNPS") | {"Co", "Zs"}
    kept = {c for c in EVERY if {unicodedata.category(c), unicodedata.category(c)[0]} & kinds}
    assert {c for c in kept if harmless(c) != c} == invisible


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("a\r\nb", r"a\r\nb"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("姜某君 (S1)", "姜某君 (S1)"),
    ],
)
def test_b9_what_steers_is_shown(foreign: str, shown: str) -> None:
    """Each is written as an escape that a person recognises."""
    assert harmless(foreign) == shown


@pytest.mark.parametrize("indent", [None, 1])
def test_b9_json_stays_json_and_steers_nothing(indent: int | None) -> None:
    """Text of JSON holds no steering character but its own line breaks, and means what was meant."""
    body = {"name": "".join(sorted(STEERING - {chr(n) for n in range(0xD800, 0xE000)})), "plain": "康美"}
    text = json_text(body, indent=indent)
    assert json.loads(text) == body
    assert STEERING & set(text) <= ({"\n"} if indent else set())
    assert "康美" in text
