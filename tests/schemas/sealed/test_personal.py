"""Personal facts: read strictly, checked by their rules, and never repeated in an error."""

from typing import Any

import pytest
from stdnum.cn import ric

from casebus_schemas.sealed.personal import content_of, personal_of, read_personal
from casebus_schemas.wire.json_form import DoorProblem

NUMBER = "11010519491231002X"  # the example of GB 11643-1999
PERSON = {
    "ref": "S1",
    "name": "姜某某",
    "documents": [{"kind": "resident_id", "number": NUMBER}],
    "born_on": "1949-12-31",
}


def test_what_is_not_said_is_written_as_empty() -> None:
    """Facts come back whole, with every field, and as canonical JSON."""
    read = read_personal({"persons": [PERSON]}, ["S1"])
    assert read["persons"][0]["documents"] == [{"kind": "resident_id", "number": NUMBER, "issuer": None}]
    assert (read["version"], read["notes"], read["persons"][0]["addresses"]) == (1, None, [])
    assert personal_of(content_of(read)) == read
    assert content_of({"b": 1, "a": "姜"}) == '{"a":"姜","b":1}'.encode()


def _person(**changes: Any) -> dict[str, Any]:
    return {"persons": [{**PERSON, **changes}]}


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ("text", "/data/sealed"),
        ({}, "/data/sealed"),
        ({"version": 2, "notes": "n"}, "/data/sealed/version"),
        ({"persons": [PERSON, PERSON]}, "/data/sealed/persons/1/ref"),
        (_person(ref="S2"), "/data/sealed/persons/0/ref"),
        (_person(name=7), "/data/sealed/persons/0/name"),
        (_person(nickname="x"), "/data/sealed/persons/0/nickname"),
        (_person(name="姜" * 401), "/data/sealed/persons/0/name"),
        (_person(addresses=["x"] * 21), "/data/sealed/persons/0/addresses"),
        (_person(born_on="1949-02-30"), "/data/sealed/persons/0/born_on"),
        (
            _person(documents=[{"kind": "resident_id", "number": NUMBER[:-1] + "1"}]),
            "/data/sealed/persons/0/documents/0/number",
        ),
        (
            _person(documents=[{"kind": "credit_code", "number": NUMBER}]),
            "/data/sealed/persons/0/documents/0/number",
        ),
        (_person(documents=[{"kind": "tattoo", "number": "1"}]), "/data/sealed/persons/0/documents/0/kind"),
        (_person(name="two\x1blines"), "/data/sealed/persons/0/name"),
    ],
)
def test_each_fault_has_its_place_and_repeats_nothing(given: object, pointer: str) -> None:
    """What is wrong is named by its pointer, without the value that stands there."""
    with pytest.raises(DoorProblem) as refused:
        read_personal(given, ["S1"])
    assert [one.pointer for one in refused.value.every] == [pointer]
    assert NUMBER[:-1] not in refused.value.detail
    assert "姜姜" not in refused.value.detail
    assert refused.value.found in (None, "401 characters", "21 items")


def test_an_event_without_suspects_may_name_anybody() -> None:
    """Where the event lists no suspects, references are the chain's."""
    assert read_personal(_person(ref="S9"))["persons"][0]["ref"] == "S9"


@pytest.mark.parametrize("place", ["810000", "820000", "830000", "710000"])
def test_the_number_of_a_residence_permit_passes_where_numbers_belong(place: str) -> None:
    """Hong Kong, Macau and Taiwan: by its check digit, whatever tables of places say, and no other digit."""
    body = f"{place}19900101001"
    right = ric.calc_check_digit(body + "0")

    def given(last: str) -> dict[str, Any]:
        return _person(documents=[{"kind": "resident_id", "number": body + last}])

    (person,) = read_personal(given(right), ["S1"])["persons"]
    assert person["documents"][0]["number"] == body + right
    for last in set("0123456789X") - {right}:
        with pytest.raises(DoorProblem, match="no such identity number"):
            read_personal(given(last), ["S1"])
