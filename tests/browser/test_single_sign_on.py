"""An officer signs in with the agency's own account, in a real browser with the desk's real headers."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from casebus_consumers.desk.app import create_app
from casebus_consumers.desk.oidc.provider import Provider
from casebus_consumers.desk.sign_on import SignOnSettings
from support.browser.person import PHONE, Reader, person
from support.scenes.desk_scene import DeskScene
from support.scenes.identity_provider import CLIENT, IdentityProvider
from support.scenes.served import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CLAIMS = {"sub": "1", "name": "王芳", "groups": ["desk"]}


def test_one_click_to_the_provider_and_back(browser: "Browser", tmp_path: Path) -> None:
    """To the page that was asked for, by PKCE alone; leaving names the way out of the account, too."""
    scene = DeskScene(tmp_path)
    known = IdentityProvider(claims=CLAIMS, secret=None)
    with serving(known.app()) as there, serving(create_app(scene.desk)) as here:
        known.url = there.url
        settings = SignOnSettings(there.url, CLIENT, here.url, {"desk": "liaison"})
        scene.desk.provider = Provider(settings)
        for reader in (Reader("zh"), Reader("en", dark=True, width=PHONE)):
            with person(browser, here.url, reader) as officer:
                officer.open("/due")
                officer.picture("sign-in-provider")
                assert officer.hurdles() == []
                officer.follow(officer.words("sign_in.at_provider"))
                officer.page.wait_for_url("**/due")
                officer.open("/account")
                officer.reads("王芳")
                officer.press("account.sign_out")
                officer.reads(officer.words("sign_in.left"))
                assert officer.hurdles() == []
                officer.picture("sign-in-left")
        scene.desk.provider = Provider(replace(settings, roles={}))
        with person(browser, here.url, Reader("zh")) as stranger:
            stranger.open("/sign-in")
            stranger.follow(stranger.words("sign_in.at_provider"))
            stranger.reads(stranger.words("sign_in.no_role"))
    scene.close()
