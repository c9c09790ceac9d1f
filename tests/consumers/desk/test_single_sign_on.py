"""Officers sign in at their agency's identity provider; what does not hold there opens nothing here."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from httpx2 import Response
from joserfc.jwk import ECKey

from casebus_consumers.desk import cookies
from casebus_consumers.desk.sign_on import FILE, RETURN, claim_of, read_sign_on
from casebus_consumers.desk.started import LONGEST_MS, StartedSignIns
from casebus_consumers.desk.words import Words
from casebus_schemas.errors import UsageError
from support.scenes.desk_scene import SITE, Browser, DeskScene
from support.scenes.identity_provider import CLIENT, SECRET, IdentityProvider
from support.scenes.served import serving

COOKIE = "__Host-casebus-csrc"
SETTINGS = """
oidc:
  issuer: {issuer}
  client_id: {client}
  client_secret_file: oidc.secret
  url: {site}
  name_claim: preferred_username
  unit_claim: department
  roles_claim: realm_access.roles
  roles:
    head: [csrc-heads]
    liaison: [csrc-liaison, csrc-desk]
    auditor: csrc-audit
"""
PERSON = {
    "sub": "248289761001",
    "preferred_username": "wang.fang",
    "name": "王芳",
    "department": "稽查局",
    "realm_access": {"roles": ["everybody", "csrc-desk"]},
}


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """The regulator's, where an officer is signed in."""
    found = IdentityProvider(claims=dict(PERSON))
    with serving(found.app()) as served:
        found.url = served.url
        yield found


@pytest.fixture
def desk(tmp_path: Path, provider: IdentityProvider) -> Iterator[DeskScene]:
    """A desk whose desk.yaml names it."""
    (tmp_path / "oidc.secret").write_text(SECRET + "\n")
    text = SETTINGS.format(issuer=provider.url, client=CLIENT, site=SITE)
    (tmp_path / FILE).write_text(text)
    scene = DeskScene(tmp_path)
    yield scene
    scene.close()


def walk(browser: Browser, to: str = "", changed: Callable[[str], str] = lambda back: back) -> Response:
    """To the provider and back again; `changed` is done to the address of the way back."""
    there = browser.get("/sign-in/oidc", params={"to": to})
    assert there.status_code == 303
    back = requests.get(there.headers["location"], allow_redirects=False, timeout=10).headers["location"]
    assert back.startswith(SITE + RETURN)
    answer: Response = browser.get(changed(back.removeprefix(SITE)))
    return answer


def is_refused(browser: Browser, answer: Response, problem: str) -> bool:
    """Whether the way back led to the form, which says so, and nobody is signed in."""
    page = browser.get(answer.headers["location"]).text
    return (
        answer.headers["location"] == f"/sign-in?problem={problem}"
        and Words("zh")(f"sign_in.{problem}") in page
        and COOKIE not in browser.cookies
        and browser.get("/inbox").status_code == 303
    )


def test_an_officer_comes_in_with_the_role_of_the_claim(desk: DeskScene, provider: IdentityProvider) -> None:
    """To the page that was asked for; the log names the claim's name, which no local officer can have."""
    browser = desk.browser(None)
    assert "/sign-in/oidc" in browser.get("/sign-in?to=/due").text
    answer = walk(browser, "/due")
    assert (answer.status_code, answer.headers["location"]) == (303, "/due")
    assert "王芳" in browser.get("/account").text
    (officer,) = [one for one in desk.desk.officers.all() if one.name.startswith("oidc:")]
    assert (officer.name, officer.unit, officer.role) == ("oidc:wang.fang", "稽查局", "liaison")
    noted = desk.desk.accesses.before(1_000, 10)
    assert ("oidc:wang.fang", "signed-in") in [(one["officer"], one["act"]) for one in noted]
    assert cookies.AT_PROVIDER not in browser.cookies
    (asked,) = provider.asked
    assert len(asked["code_challenge"]) == 43
    assert asked["redirect_uri"] == SITE + RETURN


def test_no_password_opens_a_name_of_the_provider(desk: DeskScene) -> None:
    """Local officers sign in beside the provider only where the settings say so, never under its names."""
    walk(desk.browser(None))
    assert desk.desk.officers.proven("oidc:wang.fang", "") is None
    browser = desk.browser(None)
    assert 'name="password"' not in browser.get("/sign-in").text
    assert browser.post("/sign-in", data={"name": "head", "password": "password-of-head"}).status_code == 404


def test_a_role_that_is_taken_away_ends(desk: DeskScene, provider: IdentityProvider) -> None:
    """The next sign-in has the role of that day, and running sessions of the same officer with it."""
    browser = desk.browser(None)
    walk(browser)
    assert browser.get("/inbox").status_code == 200
    provider.claims["realm_access"] = {"roles": ["csrc-audit"]}
    walk(desk.browser(None))
    assert desk.desk.officers.named("oidc:wang.fang").role == "auditor"  # type: ignore[union-attr]
    provider.claims["realm_access"] = {"roles": ["everybody"]}
    third = desk.browser(None)
    assert is_refused(third, walk(third), "no_role")


NOW = int(time.time())


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "of-another-sign-in"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"iss": "https://evil.example"},
        {"exp": NOW - 3_600},
        {"exp": None},
        {"iat": NOW - 3_600},
        {"sub": None},
    ],
    ids=str,
)
def test_an_id_token_that_does_not_hold_opens_nothing(
    desk: DeskScene, provider: IdentityProvider, wrong: dict[str, Any]
) -> None:
    """Of another sign-in, client, provider or time: refused in words, no session."""
    provider.wrong = wrong
    browser = desk.browser(None)
    assert is_refused(browser, walk(browser), "not_by_provider")


def test_another_key_opens_nothing(desk: DeskScene, provider: IdentityProvider) -> None:
    """A token that the provider did not sign, under a key id that it has."""
    provider.signs_with = ECKey.generate_key("P-256", {"kid": "1"})
    browser = desk.browser(None)
    assert is_refused(browser, walk(browser), "not_by_provider")


def test_another_secret_is_refused(desk: DeskScene, provider: IdentityProvider) -> None:
    """Where the provider does not know this desk nobody comes in."""
    provider.secret = "another"
    browser = desk.browser(None)
    assert is_refused(browser, walk(browser), "not_by_provider")


@pytest.mark.parametrize(
    "returns",
    [{"state": "of-another"}, {"state": ""}, {"iss": "https://evil.example"}],
    ids=str,
)
def test_what_was_not_begun_here_is_not_ended_here(
    desk: DeskScene, provider: IdentityProvider, returns: dict[str, str]
) -> None:
    """Another state, or another provider's name on the way back: the code is not even sent."""
    provider.returns = returns
    browser = desk.browser(None)
    assert is_refused(browser, walk(browser), "stale")


def test_a_way_back_serves_one_browser_once(desk: DeskScene) -> None:
    """Not another browser, which would be signed in as somebody else; not a second time; not late."""
    browser, other = desk.browser(None), desk.browser(None)
    seen: list[str] = []
    assert walk(browser, changed=lambda back: seen.append(back) or back).status_code == 303  # type: ignore[func-returns-value]
    browser.cookies.clear()
    assert is_refused(browser, browser.get(seen[0]), "stale")
    other.get("/sign-in/oidc")
    there = browser.get("/sign-in/oidc").headers["location"]
    back = requests.get(there, allow_redirects=False, timeout=10).headers["location"]
    assert is_refused(other, other.get(back.removeprefix(SITE)), "stale")
    now = [1_000_000_000_000]
    started = StartedSignIns(desk.desk.store, lambda: now[0])
    one = started.begin("/")
    now[0] += LONGEST_MS + 1
    assert started.end(one.state, one.browser) is None


def test_the_provider_may_refuse_or_be_away(desk: DeskScene, provider: IdentityProvider) -> None:
    """Each is said in words; nothing of what it wrote is shown."""
    provider.returns = {"code": "", "error": "<b>access_denied</b>"}
    browser = desk.browser(None)
    answer = walk(browser)
    assert is_refused(browser, answer, "not_by_provider")
    assert "access_denied" not in answer.headers["location"]
    provider.down = True
    desk.desk.provider._fetched = 0.0  # type: ignore[union-attr]
    away = desk.browser(None).get("/sign-in/oidc")
    assert away.status_code == 503


def test_leaving_leads_on_to_the_provider(desk: DeskScene, provider: IdentityProvider) -> None:
    """The session here ends; a link ends the one there, and only that provider's."""
    browser = desk.browser(None)
    walk(browser)
    answer = browser.submit("/sign-out", "/account")
    assert answer.headers["location"] == "/sign-in?left=provider"
    page = browser.get("/sign-in?left=provider").text
    assert f"{provider.url}/end?client_id={CLIENT}" in page
    assert browser.get("/inbox").status_code == 303


def test_nobody_is_led_elsewhere_by_the_way_back(desk: DeskScene) -> None:
    """Where an officer wanted to go is a path of this desk."""
    for to in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        place = urlsplit(walk(desk.browser(None), to).headers["location"])
        assert (place.scheme, place.netloc, place.path) == ("", "", "/")


def test_a_desk_without_a_provider_has_no_such_page(scene: DeskScene) -> None:
    """Officers with a password of the desk's own are the default."""
    assert scene.browser(None).get("/sign-in/oidc").status_code == 404
    assert scene.browser(None).get(RETURN).status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("issuer: {issuer}", "issuer: http://login.example"), "issuer"),
        (("url: {site}", "url: ftp://desk"), "url"),
        (("head: [csrc-heads]", "boss: [csrc-heads]"), "no such role"),
        (("  client_id: {client}\n", ""), "client_id"),
        (("  name_claim", "  unknown_claim"), "unknown_claim"),
        (("  url:", "  scopes: [profile]\n  url:"), "openid"),
    ],
)
def test_settings_are_read_strictly(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    """What is wrong is named before a desk starts."""
    text = SETTINGS.replace(*change).format(issuer="https://login.example", client=CLIENT, site=SITE)
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UsageError) as raised:
        read_sign_on(tmp_path)
    assert said in raised.value.detail


def test_claims_lead_into_objects() -> None:
    """By dots; what is not there is none."""
    assert claim_of(PERSON, "realm_access.roles") == ["everybody", "csrc-desk"]
    assert claim_of(PERSON, "realm_access.roles.more") is None
