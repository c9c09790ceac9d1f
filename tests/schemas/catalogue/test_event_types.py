"""events.yaml says of each type what it means for a case; what is missing or unknown is refused."""

import pytest
import yaml

from casebus_schemas.agencies import Members
from casebus_schemas.case.accounts import ACQUITTED, WITHDRAWN
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.event_types import read_event_types
from casebus_schemas.errors import UsageError
from casebus_schemas.law.clocks import instruments
from casebus_schemas.statistics.measures import CHANGED, INDICTMENT_WITHDRAWN, MEASURES, TYPES
from casebus_schemas.statistics.published import PUBLISHED, RESTATED

CATALOG = Catalog.load()
STATES = {"filed": {"zh": "已立案", "en": "filed", "quiet_days": 365}}
FILED = {
    "channel": "referral",
    "speakers": ["police"],
    "brings_to": "filed",
    "about": "case",
    "lists_suspects": True,
    "corrected_by": "none",
    "statistics": "none",
    "zh": "立案",
    "en": "filed",
}


def _read(**changed: object) -> None:
    entry = {key: value for key, value in {**FILED, **changed}.items() if value is not None}
    read_event_types(yaml.safe_dump({"states": STATES, "case.filed": entry}), Members.load())


def test_a_full_entry_is_read() -> None:
    """An entry that says everything is taken as it stands."""
    _read()
    _read(brings_to="none", about="none", corrected_by="case.filed", statistics=["cases_filed"])


@pytest.mark.parametrize(
    "key", ["channel", "speakers", "brings_to", "about", "lists_suspects", "corrected_by", "statistics", "zh"]
)
def test_what_is_missing_is_refused(key: str) -> None:
    """No key has a default that somebody could forget."""
    with pytest.raises(UsageError, match=r"case\.filed: its keys") as refused:
        _read(**{key: None})
    assert refused.value.found == f"without {key}"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("seat", "Beijing", "its keys"),
        ("speakers", ["csrc"], "no such role"),
        ("speakers", ["police", "police"], "speakers"),
        ("by_law", ["customs"], "no such role"),
        ("brings_to", "closed", "brings_to"),
        ("from", ["closed"], "from"),
        ("elsewhere", "disputed", "elsewhere"),
        ("elsewhere", "refused", "elsewhere"),
        ("about", "bus", "about"),
        ("about", "all", "about"),
        ("lists_suspects", "yes indeed", "lists_suspects"),
        ("corrected_by", "case.corrected", "names a type"),
        ("answers", ["case.referred"], "names a type"),
        ("statistics", "cases_filed", "statistics"),
        ("zh", "", "zh"),
    ],
)
def test_what_is_unknown_is_refused(key: str, value: object, message: str) -> None:
    """A key, role, state or type that nobody knows is refused with the type's name."""
    with pytest.raises(UsageError, match=message) as refused:
        _read(**{key: value})
    assert "case.filed" in refused.value.message


def test_a_type_said_twice_is_refused() -> None:
    """The second entry of one type does not win in silence."""
    entry = yaml.safe_dump(FILED, default_flow_style=True)
    with pytest.raises(UsageError, match="cannot be read"):
        read_event_types(f"a.b: {entry}\na.b: {entry}\n", Members.load())


def test_a_correction_that_no_speaker_may_say_is_refused() -> None:
    """What corrects a type is said by one of its speakers."""
    other = {**FILED, "speakers": ["court"]}
    types = {"states": STATES, "a.said": {**FILED, "corrected_by": "a.other"}, "a.other": other}
    with pytest.raises(UsageError, match="corrected_by"):
        read_event_types(yaml.safe_dump(types), Members.load())


@pytest.mark.parametrize("type", sorted(CATALOG.types))
def test_what_a_type_says_of_suspects_is_in_its_schema(type: str) -> None:
    """Who lists suspects has a field for them; corrections correct themselves; the bus speaks of the bus."""
    event = CATALOG.event(type)
    fields = {field["name"] for field in CATALOG.latest(type).schema["fields"]}
    assert not event.lists_suspects or "suspects" in fields
    if event.corrected_by is not None:
        assert CATALOG.event(event.corrected_by).corrected_by == event.corrected_by
    assert (event.about == "bus") == (
        event.family
        in (
            "receipt",
            "finding",
            "obligation",
            "clock",
            "dead_letter",
            "chain",
            "payload",
            "admission",
            "holidays",
        )
    )


def test_only_what_moves_a_case_moves_it_from_somewhere() -> None:
    """A type that leaves the state alone cannot say from where."""
    with pytest.raises(UsageError, match="from"):
        _read(**{"brings_to": "none", "about": "none", "from": ["filed"]})


@pytest.mark.parametrize("type", [type for type, event in CATALOG.types.items() if event.by_law])
def test_whoever_hears_by_law_hears_on_a_basis(type: str) -> None:
    """Each names texts that are known; what no law says is called a rule of the house."""
    assert CATALOG.types[type].basis
    assert {text.partition(" ")[0] for text in CATALOG.types[type].basis} <= instruments().keys()


def test_a_basis_without_hearers_is_refused() -> None:
    """It would found nothing."""
    with pytest.raises(UsageError, match="basis"):
        _read(basis=["house-rule"])


@pytest.mark.parametrize("said", ["ground", {}, {"ground": {"kept": "closed"}}, {"a": {}, "b": {}}])
def test_a_state_by_a_field_is_one_of_the_list(said: object) -> None:
    """One field, each value with a state that is known, and a state for all others."""
    _read(brings_by={"ground": {"kept": "filed"}})
    with pytest.raises(UsageError, match="brings_by"):
        _read(brings_by=said)
    with pytest.raises(UsageError, match="brings_by"):
        _read(brings_by={"ground": {"kept": "filed"}}, brings_to="none")


def test_every_state_is_reached() -> None:
    """Each state is brought by a type, but for the two that follow otherwise."""
    reached = {state for event in CATALOG.types.values() for state in event.leads_to}
    assert reached | {ACQUITTED, WITHDRAWN} == set(CATALOG.states)


@pytest.mark.parametrize(
    ("type", "agency", "correction"),
    [
        ("referral.submitted", "csrc", "referral.corrected"),
        ("progress.transferred_for_prosecution", "mps", "progress.corrected"),
        ("outcome.prosecuted", "spp", "outcome.corrected"),
        ("outcome.judgment", "court", "outcome.corrected"),
        ("administrative.penalty_decided", "csrc", "administrative.corrected"),
        ("referral.split", "spp", None),
        ("clue.submitted", "csrc", None),
        ("later.said", "csrc", None),
    ],
)
def test_with_what_an_agency_corrects(type: str, agency: str, correction: str | None) -> None:
    """An agency is told the type that corrects what it said, and none that it may not say."""
    assert CATALOG.correction_of(type, agency) == correction


def test_the_words_of_statistics_are_those_that_are_counted() -> None:
    """Each word of events.yaml is a measure or has its own use in statistics, and stands at one type."""
    others = {CHANGED, INDICTMENT_WITHDRAWN, PUBLISHED, RESTATED}
    assert {word for word, type in TYPES.items() if type not in others} == set(MEASURES)
    said = [word for event in CATALOG.types.values() for word in event.statistics]
    assert sorted(said) == sorted(TYPES)
