"""Who takes part: agencies.yaml, its roles, and its strict reader."""

from importlib.resources import files

import pytest

from casebus_schemas.agencies import (
    AGENCIES,
    BUS,
    GUESTS,
    MEMBERS,
    WITNESSES,
    Members,
    agencies_with,
    roles_of,
)
from casebus_schemas.errors import UsageError

TEXT = (files("casebus_schemas") / "agencies.yaml").read_text(encoding="utf-8")


def test_who_takes_part() -> None:
    """Three full agencies and the court as a guest, in the order in which a case passes them."""
    assert AGENCIES == ("csrc", "mps", "spp")
    assert GUESTS == ("court",)
    assert MEMBERS == ("csrc", "mps", "spp", "court")


@pytest.mark.parametrize(
    ("agency", "roles"),
    [
        ("csrc", ("regulator", "agency", "member")),
        ("court", ("court", "member")),
        (BUS, ("bus",)),
        ("nobody", ()),
    ],
)
def test_roles_of(agency: str, roles: tuple[str, ...]) -> None:
    """An agency has the roles of its entry and those that follow of themselves; who is unknown has none."""
    assert roles_of(agency) == roles


def test_agencies_with() -> None:
    """A role stands for who has it; `agency` for every full agency, `member` for all, `bus` for the bus."""
    assert agencies_with("police") == ("mps",)
    assert agencies_with("agency") == AGENCIES
    assert agencies_with("member") == MEMBERS
    assert agencies_with("bus") == (BUS,)
    with pytest.raises(UsageError, match="no such role"):
        agencies_with("csrc")


def test_expanded_follows_the_order_of_the_roles() -> None:
    """Several roles stand for their agencies in the order in which they are named, each once."""
    assert Members.load().expanded(["court", "regulator", "member"]) == ("court", "csrc", "mps", "spp")


def test_every_role_is_held() -> None:
    """Each role has a name in both languages and an agency that has it."""
    members = Members.load()
    for role, name in members.roles.items():
        assert name.zh
        assert name.en
        assert members.agencies_with(role)
    assert members.name("csrc") is not None
    assert members.name(BUS) is not None
    assert members.name("nobody") is None


def test_witnesses() -> None:
    """Three members cosign under their own login, the auditor's office under the auditor's."""
    members = Members.load()
    assert WITNESSES == ("spp", "mps", "csrc", "audit")
    assert [members.login_of(witness) for witness in WITNESSES] == ["spp", "mps", "csrc", "auditor"]
    assert [witness.name.zh for witness in members.witnesses] == ["最高检", "公安部", "证监会", "审计机关"]
    assert members.having("witness") == WITNESSES
    assert members.having("agency") == AGENCIES


ROLES = "roles:\n  police: {zh: 公安, en: police}\n"
MPS = "members: {mps: {part: full, roles: [police], zh: 公, en: p}}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROLES, "its keys"),
        (ROLES + "members: {}", "members"),
        (ROLES + "members: {mps: {part: full, roles: [police], zh: 公, en: p, seat: x}}", "its keys"),
        (ROLES + "members: {mps: {part: full, roles: [police], zh: 公}}", "its keys"),
        (ROLES + "members: {mps: {part: full, roles: [court], zh: 公, en: p}}", "roles"),
        (ROLES + "members: {mps: {part: full, roles: [], zh: 公, en: p}}", "roles"),
        (ROLES + "members: {mps: {part: full, roles: [police, police], zh: 公, en: p}}", "roles"),
        (ROLES + "members: {mps: {part: half, roles: [police], zh: 公, en: p}}", "how it takes part"),
        (ROLES + "members: {mps: {part: full, roles: [police], zh: '', en: p}}", "zh"),
        (ROLES + "members: {bus: {part: full, roles: [police], zh: 公, en: p}}", "its name"),
        (ROLES + "members: {M.PS: {part: full, roles: [police], zh: 公, en: p}}", "its name"),
        (ROLES.replace("police", "member") + "members: {a: {}}", "its name"),
        ("witnesses: {mps: {login: x}}\n" + ROLES + MPS, "its keys"),
        ("witnesses: {other: {}}\n" + ROLES + MPS, "its keys"),
        ("witnesses: {bus: {login: x, zh: 公, en: p}}\n" + ROLES + MPS, "its name"),
        ("witnesses: {other: {login: admin, zh: 公, en: p}}\n" + ROLES + MPS, "its name"),
        ("witnesses: {}\n" + ROLES + MPS, "witnesses"),
        (ROLES + "  police: {zh: 再, en: again}\nmembers: {}", "cannot be read"),
        (ROLES + "members: [", "cannot be read"),
        ("[]", "no mapping"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    """Unknown keys and roles, what is missing, doubles and names that topics cannot bear are refused."""
    with pytest.raises(UsageError, match=message):
        Members.parse(text)


def test_the_version_follows_the_text() -> None:
    """Two lists of members have different versions."""
    assert Members.parse(TEXT).version == Members.load().version
    assert Members.parse(TEXT + "# more\n").version != Members.load().version
