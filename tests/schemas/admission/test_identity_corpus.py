"""Made-up texts of referrals: no ordinary number is refused, and no identity number passes."""

import random
from collections.abc import Callable
from datetime import date, timedelta

from stdnum.cn import ric, uscc

from casebus_schemas.admission.resident_ids import may_hold_resident_id, pointers_of_resident_ids

ON = date(2022, 9, 9)
MANY = 2_000
PLACES = ("110105", "120101", "210203", "310115", "330106", "370202", "440300", "440304", "500103", "650102")
BETWEEN = ("", " ", "  ", "\n", "\t", ".", "/", "-", "—", "－", "\u00a0", "\u2009", "\u3000", " - ")


def _day(chance: random.Random, first: date, last: date) -> date:
    return first + timedelta(days=chance.randrange((last - first).days))


def _person(chance: random.Random) -> str:
    """An identity number of the unassigned test divisions, which count like all others."""
    place = f"99{chance.randrange(10_000):04d}"
    body = f"{place}{_day(chance, date(1935, 1, 1), date(2007, 1, 1)):%Y%m%d}{chance.randrange(1000):03d}"
    return body + ric.calc_check_digit(body + "0")


def _written(chance: random.Random, number: str) -> str:
    """As people and their programs write it: grouped, in full-width digits, with a small letter."""
    gaps = [chance.choice(BETWEEN) for _ in range(2)]
    written = f"{number[:6]}{gaps[0]}{number[6:14]}{gaps[1]}{number[14:]}"
    if chance.random() < 0.2:
        written = written.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789X"})
    return written.lower() if chance.random() < 0.2 else written


def _old(chance: random.Random) -> str:
    born = _day(chance, date(1935, 1, 1), date(1985, 1, 1))
    return f"身份证号{chance.choice(PLACES)}{born:%y%m%d}{chance.randrange(1000):03d}"


PERSONS: tuple[Callable[[random.Random], str], ...] = (
    lambda chance: _written(chance, _person(chance)),
    lambda chance: f"身份证号:{_written(chance, _person(chance))}",
    lambda chance: f"(公民身份号码 {_person(chance)})",
    _old,
)


def _serial(chance: random.Random) -> str:
    """Division, day and serial number, as police number cases: one in eleven has a right check digit."""
    day = _day(chance, date(2009, 1, 1), ON)
    return f"{chance.choice(PLACES)}{day:%Y%m%d}{chance.randrange(10_000):04d}"


def _trade(chance: random.Random) -> str:
    code = f"{chance.choice((600, 601, 603, 688, 300, 2, 1)):03d}{chance.randrange(1000):03d}"
    return f"{code} {_day(chance, date(2009, 1, 1), ON):%Y%m%d} {chance.randrange(10_000):04d}"


def _credit_code(chance: random.Random) -> str:
    body = f"91{chance.choice(PLACES)}{chance.randrange(10**9):09d}"
    return f"统一社会信用代码:{body}{uscc.calc_check_digit(body + '0')}"


ORDINARY: tuple[Callable[[random.Random], str], ...] = (
    _serial,
    lambda chance: f"案号{_serial(chance)}",
    lambda chance: (
        f"A{chance.choice(PLACES)}{chance.randrange(10**6):06d}202201{chance.randrange(10**6):06d}"
    ),
    _trade,
    _credit_code,
    lambda chance: f"银行账号{chance.randrange(10**18, 10**19)}",
    lambda chance: f"卡号62{chance.randrange(10**16):016d}",
    lambda chance: f"电话1{chance.randrange(3 * 10**9, 10**10)}、1{chance.randrange(3 * 10**9, 10**10)}",
    lambda chance: f"{chance.randrange(10**8)}.{chance.randrange(100):02d}元/{chance.randrange(10**8)}股",
    lambda chance: f"证监立案字{ON:%Y}{chance.randrange(10**6):07d}号",
    lambda chance: f"{_day(chance, date(2009, 1, 1), ON)} 09:30:00.{chance.randrange(1000):03d}",
    lambda chance: f"ISIN CNE{chance.randrange(10**9):09d}",
)


def _text(chance: random.Random, *parts: str) -> str:
    sentences = [f"经查,涉案事项见{part},现移送。" for part in parts]
    chance.shuffle(sentences)
    return "".join(sentences)


def _ordinary(chance: random.Random) -> list[str]:
    return [make(chance) for make in chance.sample(ORDINARY, 4)]


def test_no_ordinary_number_is_refused() -> None:
    """Case numbers, trades, accounts, credit codes, telephones, sums: none counts as somebody's number."""
    chance = random.Random(2022)
    refused = []
    for _ in range(MANY):
        text = _text(chance, *_ordinary(chance))
        if list(pointers_of_resident_ids([text], "", ON)):
            refused.append(text)
    assert refused == []


def test_no_identity_number_passes() -> None:
    """However it is written and whatever stands beside it, a person's number is found."""
    chance = random.Random(2023)
    missed = []
    for _ in range(MANY):
        text = _text(chance, *_ordinary(chance), chance.choice(PERSONS)(chance))
        if not may_hold_resident_id(text.encode()) or not list(pointers_of_resident_ids([text], "", ON)):
            missed.append(text)
    assert missed == []
