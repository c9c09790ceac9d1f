"""How names and long numbers are shown before somebody has said what for."""

import pytest

from casebus_consumers.desk.masking import masked_name, masked_text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("欧阳修远", "欧＊＊＊"),
        ("马某田", "马某田"),
        ("某某证券有限公司", "某某证券有限公司"),
        ("康美药业股份有限公司", "康美药业股份有限公司"),
        ("John Smith", "J*** S***"),
        ("王芳", "王＊"),
    ],
)
def test_how_a_name_is_masked(name: str, shown: str) -> None:
    """Persons by their first character, firms as they are."""
    assert masked_name(name) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "身份证110101199003070015，电话13800138000",
            "身份证110＊＊＊＊＊＊＊＊＊＊＊＊015，电话138＊＊＊＊＊000",
        ),
        ("46,190,000.00元，2016-10-18", "46,190,000.00元，2016-10-18"),
    ],
)
def test_how_a_number_is_masked(text: str, shown: str) -> None:
    """Those of documents and telephones, not figures and days."""
    assert masked_text(text) == shown
