"""Who comes in at a desk, how long, and what nobody can do in an officer's name."""

from urllib.parse import parse_qs, urlsplit

import pytest

from casebus_consumers.desk.app import POLICY, check_url
from casebus_consumers.desk.asked import Page, safe_path
from casebus_consumers.desk.attempts import OF_A_NAME, Attempts
from casebus_consumers.desk.pages.register import PAGES
from casebus_consumers.desk.sessions import IDLE_MS, LONGEST_MS, Sessions
from casebus_schemas.errors import UsageError
from casebus_services.metrics.named import REGISTRY
from support.scenes.desk_scene import PASSWORDS, DeskScene, token_of

COOKIE = "__Host-casebus-csrc"
GUARDED = [page for page in PAGES if page.right is not None]


def address(page: Page) -> str:
    """An address that a page answers."""
    return page.path.replace("{", "").replace("}", "")


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/%0d%0aset-cookie:x",
    "javascript:alert(1)",
    "/in\tbox",
    "http:/evil.example",
    " //evil.example",
    "/\n/evil.example",
]


def test_no_page_opens_without_an_officer(scene: DeskScene) -> None:
    """Every page leads to the form to sign in, which leads back to it; nothing of a case is told."""
    browser = scene.browser(None)
    for page in GUARDED:
        for method, handler in (("GET", page.get), ("POST", page.post)):
            answer = browser.request(method, address(page))
            assert answer.status_code == (404 if handler is None else 303), page.path
            if handler is not None:
                assert urlsplit(answer.headers["location"]).path == "/sign-in"
            assert "姜" not in answer.text


def test_an_officer_comes_back_to_what_was_asked(scene: DeskScene) -> None:
    """The page that was asked for stands in the form and opens after it."""
    browser = scene.browser(None)
    asked = browser.get("/inbox?see=unread").headers["location"]
    (to,) = parse_qs(urlsplit(asked).query)["to"]
    answer = browser.sign_in("liaison", to=to)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox?see=unread")
    assert browser.get("/inbox").status_code == 200


def test_nobody_is_led_elsewhere(scene: DeskScene) -> None:
    """Neither after signing in nor after a choice of language."""
    browser = scene.browser(None)
    for to in ELSEWHERE:
        scene.desk.attempts.succeeded("liaison")
        for answer in (browser.sign_in("liaison", to=to), browser.get("/language/en", params={"to": to})):
            place = urlsplit(answer.headers["location"])
            assert (place.scheme, place.netloc) == ("", ""), to
            assert not answer.headers["location"].startswith(("//", "/\\")), to
            assert "\\" not in safe_path(to)
        browser.cookies.clear()


def test_the_session_is_the_servers_and_new(scene: DeskScene) -> None:
    """A random token in a `__Host-` cookie of this agency; one that a browser brought along opens nothing."""
    browser = scene.browser(None)
    browser.cookies.set(COOKIE, "given-by-somebody", domain="testserver.local")
    answer = browser.sign_in("liaison")
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(COOKIE)]
    assert all(word in cookie for word in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"))
    assert "Domain" not in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    assert token != "given-by-somebody"
    assert len(token) >= 43
    assert scene.desk.sessions.of("given-by-somebody") is None
    assert token.encode() not in (scene.folder / "desk.db").read_bytes()
    again = scene.desk.sessions.begin(scene.officers["liaison"], token)
    assert scene.desk.sessions.of(token) is None
    assert scene.desk.sessions.of(again) is not None


def test_a_session_ends_by_itself(scene: DeskScene) -> None:
    """After half an hour of silence, after a day whatever happens, and when its officer is removed."""
    now = [1_000_000_000_000]
    sessions = Sessions(scene.desk.store, lambda: now[0])
    officer = scene.officers["head"]
    silent, busy = sessions.begin(officer), sessions.begin(officer)
    while now[0] < 1_000_000_000_000 + LONGEST_MS:
        assert sessions.of(busy) is not None
        now[0] += IDLE_MS - 60_000
    assert sessions.of(silent) is None
    now[0] += IDLE_MS
    assert sessions.of(busy) is None
    fresh = sessions.begin(officer)
    scene.desk.officers.remove("head")
    assert sessions.of(fresh) is None


def test_signing_out_ends_it(scene: DeskScene) -> None:
    """The token opens nothing any more, wherever it is kept."""
    browser = scene.browser()
    token = browser.cookies[COOKIE]
    assert browser.submit("/sign-out", "/account").status_code == 303
    assert scene.desk.sessions.of(token) is None


def test_guessing_comes_to_an_end(scene: DeskScene) -> None:
    """After some failures even the right password waits, and is told how long; others come in."""
    browser = scene.browser(None)
    answers = [browser.sign_in("liaison", f"guess-number-{n}") for n in range(OF_A_NAME + 1)]
    assert [answer.status_code for answer in answers] == [401] * OF_A_NAME + [429]
    held = browser.sign_in("liaison")
    assert held.status_code == 429
    assert 0 < int(held.headers["retry-after"]) <= 900
    assert browser.sign_in("head").status_code == 303


def test_failures_are_forgotten_in_time(scene: DeskScene) -> None:
    """A quarter of an hour later one may try again."""
    now = [1_000_000_000_000]
    attempts = Attempts(scene.desk.store, lambda: now[0])
    for _ in range(OF_A_NAME):
        attempts.failed("liaison", "192.0.2.1")
    assert attempts.wait_s("liaison", "192.0.2.2") == 900
    now[0] += 900_000
    assert attempts.wait_s("liaison", "192.0.2.2") == 0


def test_who_is_unknown_learns_nothing(scene: DeskScene) -> None:
    """A wrong name and a wrong password are answered with the same words; the password is never shown."""
    browser = scene.browser(None)
    wrong = browser.sign_in("liaison", "not-the-password")
    unknown = browser.sign_in("nobody", "not-the-password")
    assert wrong.status_code == unknown.status_code == 401
    tell = "用户名或密码不正确"
    assert tell in wrong.text
    assert tell in unknown.text
    assert "not-the-password" not in wrong.text + unknown.text


def test_a_form_of_elsewhere_signs_nobody_in(scene: DeskScene) -> None:
    """Without the token of this browser, or from another site, the password is not even looked at."""
    browser = scene.browser(None)
    page = browser.get("/sign-in")
    fields = {"name": "liaison", "password": PASSWORDS["liaison"]}
    other = scene.browser(None)
    assert other.post("/sign-in", data={**fields, "csrf": token_of(page)}).status_code == 403
    token = token_of(browser.get("/sign-in"))
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://testserver:444"}):
        answer = browser.post("/sign-in", data={**fields, "csrf": token}, headers=headers)
        assert answer.status_code == 403
    assert COOKIE not in browser.cookies


def test_a_form_without_the_token_does_nothing(scene: DeskScene) -> None:
    """Each form holds the token of its session; another officer's is as good as none."""
    browser, other = scene.browser("head"), scene.browser("liaison")
    before = len(scene.outbox.recent(100))
    for token in ("", token_of(other.get("/account"))):
        for page in GUARDED:
            if page.post is not None:
                answer = browser.post(address(page), data={"csrf": token, "read": "all", "sign": "0"})
                assert answer.status_code == 403, page.path
    assert len(scene.outbox.recent(100)) == before
    assert browser.get("/account").status_code == 200  # nobody was signed out


def test_every_answer_has_strict_headers(scene: DeskScene) -> None:
    """No frame, no foreign script, no cache, whatever is answered."""
    browser = scene.browser()
    for path in ("/inbox", "/account", "/nowhere", "/sign-in"):
        headers = browser.get(path).headers
        assert headers["content-security-policy"] == POLICY["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    style = browser.get("/desk.css").headers
    assert "immutable" in style["cache-control"]


def test_another_host_is_not_answered(scene: DeskScene) -> None:
    """A name that somebody lets point here reaches nothing."""
    browser = scene.browser()
    assert browser.get("/inbox", headers={"host": "evil.example"}).status_code == 421


def test_a_role_opens_what_is_its_own(scene: DeskScene) -> None:
    """Whoever runs the programs sees no case."""
    for role, status in (("operator", 403), ("auditor", 200), ("liaison", 200)):
        answer = scene.browser(role).get("/inbox")
        assert answer.status_code == status
        assert ("姜某君" in answer.text) is (status == 200)


def test_an_auditor_says_nothing_in_the_agencys_name(scene: DeskScene) -> None:
    """Reading is not signing."""
    browser = scene.browser("auditor")
    token = token_of(browser.get("/account"))
    before = len(scene.outbox.recent(100))
    assert browser.post("/inbox", data={"csrf": token, "read": "all"}).status_code == 403
    assert len(scene.outbox.recent(100)) == before


@pytest.mark.parametrize("url", ["http://10.0.0.5:80", "http://desk.example", "ftp://127.0.0.1"])
def test_a_desk_wants_a_safe_channel(url: str) -> None:
    """Plain HTTP stays on the machine."""
    if url.startswith("ftp"):
        check_url(url.replace("ftp", "http"))
        return
    with pytest.raises(UsageError, match="safe channel"):
        check_url(url)


def test_attempts_are_counted(scene: DeskScene) -> None:
    """Metrics tell who came in and who failed, by agency alone."""

    def told(outcome: str) -> float:
        labels = {"agency": scene.desk.agency, "outcome": outcome}
        return REGISTRY.get_sample_value("casebus_desk_sign_ins_total", labels) or 0

    came, failed = told("in"), told("failed")
    scene.browser(None).sign_in("liaison")
    scene.browser(None).sign_in("liaison", "not the password")
    assert (told("in") - came, told("failed") - failed) == (1, 1)
