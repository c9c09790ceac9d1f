"""The page for people in a bundle: it follows from the content, and nothing foreign in it does anything."""

from dataclasses import replace
from hashlib import sha256

import pytest

from casebus_schemas.evidence.bundle_check import check_bundle
from casebus_schemas.evidence.bundle_page import page
from support.ledger import signed_case
from support.ledger.sealed_ledger import policy
from support.ledger.signed_case import SignedCase, bundle_of


@pytest.fixture(scope="module")
def case() -> SignedCase:
    """Twelve matters of three referrals each."""
    return signed_case.example()


def test_the_page_for_people_follows_from_the_content(case: SignedCase) -> None:
    """A page is accepted only as the content gives it; one of another layout is told not to be relied on."""
    bundle = bundle_of(case, 5)
    right = page(bundle)
    wrong = "report.html: it is not what the bundle's content gives"
    for given, failed, note in (
        (right, [], False),
        (
            right.replace(b"admitted", b"refused!", 1),
            [wrong],
            False,
        ),
        (b"<!doctype html><!-- casebus page 9 --><p>guilty", [], True),
    ):
        report = check_bundle(replace(bundle, page=given).to_bytes(), policy())
        assert report.failed == failed
        assert ("report.html: of another layout, make it anew with --page" in report.not_covered) == note


def test_what_the_page_says(case: SignedCase) -> None:
    """Each event with its type and fields in Chinese, the speaker, the verdict, and times of Beijing."""
    text = page(bundle_of(case, 5)).decode()
    assert text.count("移送涉嫌犯罪案件 referral.submitted") == 3
    assert "<th>嫌疑主体 <code>suspects</code></th>" in text
    assert "姜某君" in text
    assert text.count("<td>admitted</td>") == 3
    assert "北京时间 2023-11-15 06:13:20 Beijing (2023-11-14T22:13:20.000+00:00)" in text
    assert "<script" not in text
    hidden = page(bundle_of(case, 5, withheld=True)).decode()
    assert "姜某君" not in hidden
    assert hidden.count("内容未列入或不可读") == 3


def test_the_page_shows_foreign_text_harmlessly(case: SignedCase) -> None:
    """What strangers wrote cannot become markup, nor steer the reading direction."""
    bundle = replace(bundle_of(case, 5), about={"chain": "<img src=x>\u202e"})
    assert "<td>&lt;img src=x&gt;\\u202e</td>" in page(bundle).decode()


def test_a_page_of_anything() -> None:
    """A page is made of any bundle that can be read, however made up its schemas are."""
    bundle = bundle_of(signed_case.example(matters=1), 0)
    (fingerprint, *_) = bundle.schemas
    for schema in (b"[]", b"{}", b'{"type":"record"}', b'"x"', b"[" * 100_000):
        made_up = sha256(schema).digest()
        entries = {**bundle.schemas, made_up: schema}
        assert page(replace(bundle, schemas=entries)).startswith(b"<!doctype html>"), fingerprint
