"""The agency's identity provider: code flow with PKCE, and the proof of what it says of an officer."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from casebus_consumers.desk.sign_on import NotProven, SignOnSettings
from casebus_schemas.errors import RetryLater

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Of signatures; none by a secret that both share, and not `none`."""
TIMEOUT_S = 10.0
KEPT_S = 3_600.0
"""How long the provider's addresses and keys count; an unknown key has them fetched anew."""
_AGAIN_S = 60.0
_LEEWAY_S = 60
_OLDEST_S = 600
"""Of an ID token when it is shown to us."""
_DISCOVERY = "/.well-known/openid-configuration"


class Provider:
    """One provider, asked over a channel of its own. For several threads; calls may block for seconds."""

    def __init__(self, settings: SignOnSettings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[dict[str, Any], KeySet] | None = None
        self._fetched = 0.0

    def begin(self, state: str, nonce: str, verifier: str) -> str:
        """The address at which an officer signs in. Raises RetryLater if the provider does not answer."""
        about, _ = self._about()
        with self._client() as client:
            url, _ = client.create_authorization_url(
                about["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    def finish(self, code: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """What the provider says of who brings this code: the claims of its ID token, proven.

        Raises NotProven if it is not for us, not fresh or not signed by it, RetryLater if it does not answer.
        """
        about, _ = self._about()
        try:
            with self._client() as client:
                token = client.fetch_token(
                    about["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    allow_redirects=False,
                )
        except AuthlibBaseError as error:
            raise NotProven("the identity provider refuses this sign-in", found=str(error)[:200]) from error
        except (RequestException, ValueError) as error:
            raise self._away(error) from error
        text = token.get("id_token")
        if not isinstance(text, str):
            raise NotProven("the identity provider gave no ID token", expected="the scope openid")
        return self._proven(text, nonce)

    def ended_at(self) -> str | None:
        """Where an officer ends the session at the provider, None where that has no such page."""
        try:
            found = self._about()[0].get("end_session_endpoint")
        except RetryLater:
            return None
        return found if isinstance(found, str) else None

    # --- within ------------------------------------------------------------------------------------------

    def _proven(self, text: str, nonce: str) -> Mapping[str, Any]:
        try:
            try:
                claims = jwt.decode(text, self._about()[1], algorithms=ALGORITHMS).claims
            except (JoseError, ValueError):
                claims = jwt.decode(text, self._about(anew=True)[1], algorithms=ALGORITHMS).claims
            now = int(self._clock())
            jwt.JWTClaimsRegistry(
                now=now,
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": self.settings.issuer},
                aud={"essential": True, "value": self.settings.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise NotProven("the ID token does not hold", found=str(error)[:200]) from error
        audience = claims["aud"]
        other = isinstance(audience, list) and len(audience) > 1
        if claims.get("azp", None if other else self.settings.client_id) != self.settings.client_id:
            raise NotProven("the ID token was given for another client", found=repr(claims.get("azp"))[:80])
        if now - int(claims["iat"]) > _OLDEST_S:
            raise NotProven("the ID token is old", expected=f"at most {_OLDEST_S} s")
        return claims

    def _about(self, *, anew: bool = False) -> tuple[dict[str, Any], KeySet]:
        """Its configuration and keys."""
        with self._lock:
            age = self._clock() - self._fetched
            if self._known is None or age > KEPT_S or (anew and age > _AGAIN_S):
                self._known = self._fetch()
                self._fetched = self._clock()
            return self._known

    def _fetch(self) -> tuple[dict[str, Any], KeySet]:
        issuer = self.settings.issuer
        try:
            with self._client() as client:
                about = self._json(client, issuer.rstrip("/") + _DISCOVERY)
                if about.get("issuer") != issuer:
                    raise NotProven(
                        "the identity provider names itself otherwise",
                        found=repr(about.get("issuer"))[:120],
                        expected=issuer,
                    )
                keys = KeySet.import_key_set(self._json(client, about["jwks_uri"]))
        except (RequestException, KeyError, ValueError, JoseError) as error:
            raise self._away(error) from error
        return about, keys

    def _json(self, client: OAuth2Session, url: str) -> Any:
        answer = client.get(url, withhold_token=True, allow_redirects=False)
        answer.raise_for_status()
        return answer.json()

    def _client(self) -> OAuth2Session:
        one = self.settings
        secret = one.client_secret_file
        found = OAuth2Session(
            one.client_id,
            None if secret is None else secret.read_text(encoding="utf-8").strip(),
            token_endpoint_auth_method="none" if secret is None else "client_secret_basic",
            scope=" ".join(one.scopes),
            redirect_uri=one.return_url,
            code_challenge_method="S256",
            default_timeout=TIMEOUT_S,
        )
        if one.ca_file is not None:
            found.verify = str(one.ca_file)
        return found

    def _away(self, error: Exception) -> RetryLater:
        return RetryLater(
            "the identity provider does not answer as it should",
            found=f"{self.settings.issuer}: {type(error).__name__}",
            remedy="try again; if it stays so, tell who runs the provider",
        )
