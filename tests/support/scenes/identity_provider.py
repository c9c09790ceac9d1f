"""A small OpenID Connect provider on loopback: one person is signed in there, and it may say wrong things."""

import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "casebus-desk", "a secret of both"


@dataclass
class IdentityProvider:
    """`claims` are of who signs in; `wrong` replaces claims of ID tokens; `asked` holds what was asked."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Any] = field(default_factory=dict)
    returns: dict[str, str] = field(default_factory=dict)
    """Replaces what comes back to the desk by the browser."""
    secret: str | None = SECRET
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1", "use": "sig"}))
    signs_with: ECKey | None = None
    down: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        """It as an application."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._about),
                Route("/jwks", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _about(self, _request: Request) -> Response:
        if self.down:
            return Response("down", 503)
        pages = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "jwks",
            "end_session_endpoint": "end",
        }
        return JSONResponse(
            {"issuer": self.url, **{name: f"{self.url}/{path}" for name, path in pages.items()}}
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.asked.append(asked)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.url, **self.returns}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 302)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        asked = self._codes.pop(str(form.get("code")), None)
        verifier = str(form.get("code_verifier", ""))
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        known = self._client(request, form) == (CLIENT, self.secret)
        if asked is None or not known or asked["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        said = {"iss": self.url, "aud": CLIENT, "nonce": asked["nonce"], "iat": now, "exp": now + 300}
        claims = {name: one for name, one in {**said, **self.claims, **self.wrong}.items() if one is not None}
        signer = self.signs_with or self.key
        token = jwt.encode({"alg": "ES256", "kid": signer.kid}, claims, signer)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def _client(self, request: Request, form: dict[str, Any]) -> tuple[str, str | None]:
        basic = request.headers.get("authorization", "").removeprefix("Basic ")
        if not basic:
            return str(form.get("client_id")), None
        name, _, secret = b64decode(basic).decode().partition(":")
        return unquote(name), unquote(secret.replace("+", " "))
