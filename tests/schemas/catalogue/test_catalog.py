"""The catalogue agrees with itself: types, schemas, topics, clocks."""

from importlib.resources import files

import pytest

from casebus_schemas.agencies import BUS, MEMBERS, Members
from casebus_schemas.catalogue.catalog import RECEIPTS, Catalog
from casebus_schemas.catalogue.schema_lock import lock_text
from casebus_schemas.catalogue.topology import receipt, topic
from casebus_schemas.errors import StopService, UsageError

CATALOG = Catalog.load()
TYPES = sorted(CATALOG.types)


def test_every_type_has_a_schema_and_every_schema_a_type() -> None:
    """The list of types and the schemas are about the same things."""
    assert {schema.type for schema in CATALOG.schemas()} == set(TYPES)


@pytest.mark.parametrize("type", TYPES)
def test_type(type: str) -> None:
    """A type has titles, known speakers and listeners, answers known types, and a topic for each speaker."""
    event = CATALOG.event(type)
    assert event.type == type
    assert event.family == type.split(".")[0]
    assert event.title_zh
    assert event.title_en
    assert event.speakers
    assert event.speakers <= {*MEMBERS, BUS}
    assert set(event.by_law) <= set(MEMBERS)
    assert {answered for answered in event.answers if answered != "*"} <= set(TYPES)
    for speaker in event.speakers:
        told = MEMBERS if event.channel == RECEIPTS else (speaker,)
        for agency in told:
            spec = topic(event.topic(agency))
            assert spec is not None, event.topic(agency)
            if speaker != BUS:
                assert speaker in spec.written_by


@pytest.mark.parametrize("type", TYPES)
def test_schema_is_found_by_each_of_its_names(type: str) -> None:
    """Id, fingerprint and newest version of a type lead to the same schema."""
    schema = CATALOG.latest(type)
    assert CATALOG.schema_by_id(schema.id) is schema
    assert CATALOG.schema_by_fingerprint(schema.fingerprint) is schema
    assert schema.dataschema == "sha256:" + schema.fingerprint.hex()


def test_the_referral_goes_to_the_procuratorate_by_law() -> None:
    """The regulator alone refers, and the procuratorate gets a copy by law."""
    event = CATALOG.event("referral.submitted")
    assert event.speakers == frozenset({"csrc"})
    assert (event.by_law, event.topic("csrc")) == (("spp",), "csrc.referral")


def test_answers() -> None:
    """A type answers what its line says, and a star stands for any."""
    assert CATALOG.event("referral.receipted").may_answer("referral.submitted")
    assert not CATALOG.event("referral.receipted").may_answer("referral.filed")
    assert CATALOG.event("receipt.signed").may_answer("referral.filed")


def test_receipts_of_the_bus_go_to_their_own_topics() -> None:
    """What the bus says of an agency's record stands on that agency's receipt topic."""
    assert CATALOG.event("receipt.admitted").topic("mps") == receipt("mps")


def test_unknown() -> None:
    """Unknown types, ids and fingerprints are told apart from known ones."""
    assert CATALOG.schema_by_id(1) is None
    assert CATALOG.schema_by_fingerprint(bytes(32)) is None
    with pytest.raises(UsageError, match="unknown event type"):
        CATALOG.latest("referral.invented")
    with pytest.raises(UsageError, match="unknown event type"):
        CATALOG.event("referral.invented")


def test_damaged_package_stops() -> None:
    """A schema that is not the one locked is never used."""
    first = lock_text().splitlines()[1].split()
    catalog = Catalog(
        "{}",
        f"{first[0]} {first[1]} {first[2]} {'00' * 32}\n",
    )
    with pytest.raises(StopService, match="not the one that was locked"):
        catalog.schema_by_id(int(first[0]))


def test_the_roles_of_a_type_stand_for_the_members() -> None:
    """Who may say a type, and who hears of it by law, follows from who has its roles."""
    text = (files("casebus_schemas") / "agencies.yaml").read_text(encoding="utf-8")
    members = Members.parse(
        text.replace("  mps: {part", "  ncb: {part: guest, roles: [police], zh: 局, en: b}\n  mps: {part")
    )
    events = (files("casebus_schemas") / "events.yaml").read_text(encoding="utf-8")
    catalog = Catalog(events, lock_text(), members)
    assert catalog.event("progress.detained").speakers == {"ncb", "mps"}
    assert catalog.event("outcome.not_prosecuted").by_law == ("ncb", "mps", "csrc")
    assert "ncb" not in catalog.event("clue.submitted").speakers
    assert catalog.version != CATALOG.version


def test_version_follows_the_contents() -> None:
    """Two catalogues with different lists have different versions."""
    assert (
        Catalog("{}", "").version
        != Catalog("{states: {filed: {zh: z, en: e, quiet_days: none}}}", "").version
    )
    assert len(CATALOG.version) == 12
