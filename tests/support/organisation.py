"""An organisation's identity provider, stubbed at the HTTP border: it signs with keys of its own.

What it says is what the attributes hold when it is asked; a test changes one of them.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses
from django.test import Client
from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "https://idp.example/realms/shop/"  # with its slash: it counts
CLIENT = "guestportal"
SECRET = "a secret of the client's, 100%"
REVIEWERS, AUDITORS = "portal-reviewers", "portal-auditors"
SUBJECT = "f3b1-subject-of-jane"
SETTINGS = {
    "ADMIN_LOGIN": "oidc",
    "OIDC_ISSUER": ISSUER,
    "OIDC_CLIENT_ID": CLIENT,
    "OIDC_CLIENT_SECRET": SECRET,
    "OIDC_SCOPES": "openid profile",
    "OIDC_GROUPS_CLAIM": "groups",
    "OIDC_GROUP_MAP": {REVIEWERS: ("Compliance reviewer",), AUDITORS: ("Auditor",)},
    "OIDC_REQUIRED_ACR": "",
    "OIDC_RECHECK_MINUTES": 15,
}


@cache
def key(name: str) -> RSAKey:
    """Return the key of this name, the same in every test."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


class Organisation:
    """The provider; `claims` are put over an ID token's, None takes one away."""

    def __init__(self) -> None:
        self.subject = SUBJECT
        self.groups: Any = [REVIEWERS]
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.signs_with: Any = key("one")
        self.published = [key("one")]
        self.userinfo: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.refusal: tuple[int, Any] | None = None  # of the token endpoint
        self.refresh_token: str | None = "refresh-1"
        self.authorize_status, self.page = 200, "<html>"
        self.down = False
        self.meanwhile: Callable[[], object] = list  # what happens while it is asked for a token
        self.nonce = ""
        self.asked: list[str] = []
        self.forms: list[dict[str, list[str]]] = []

    def calls(self) -> list[Any]:
        """Return the calls that were made, as `responses` keeps them."""
        return list(self._mock.calls)

    def install(self, mock: responses.RequestsMock) -> None:
        self._mock = mock
        for method, path, answer in (
            ("GET", ".well-known/openid-configuration", self._document),
            ("GET", "authorize", lambda _: (self.authorize_status, {}, self.page)),
            ("POST", "token", self._token),
            ("GET", "keys", self._keys),
            ("GET", "userinfo", self._userinfo),
        ):
            mock.add_callback(method, ISSUER + path, callback=self._when_up(path, answer))

    def _when_up(self, path: str, answer: Any) -> Any:
        def callback(request: Any) -> Any:
            self.asked.append(path)
            if self.down:
                raise ConnectionRefusedError("nothing listens there")
            return answer(request)

        return callback

    def _document(self, _: Any) -> Any:
        document = {
            "issuer": ISSUER,
            "authorization_endpoint": ISSUER + "authorize",
            "token_endpoint": ISSUER + "token",
            "jwks_uri": ISSUER + "keys",
            "userinfo_endpoint": ISSUER + "userinfo",
            "end_session_endpoint": ISSUER + "logout",
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }
        return 200, {}, json.dumps(document)

    def _token(self, request: Any) -> Any:
        self.forms.append(parse_qs(request.body))
        self.meanwhile()
        if self.refusal:
            status, body = self.refusal
            return status, {}, body if isinstance(body, str) else json.dumps(body)
        answer = {"token_type": "Bearer", "access_token": "access-1", "id_token": self.id_token()}
        if self.refresh_token:
            answer["refresh_token"] = self.refresh_token
        return 200, {}, json.dumps(answer)

    def _keys(self, _: Any) -> Any:
        return (
            200,
            {},
            json.dumps({"keys": [each.as_dict(private=False) for each in self.published]}),
        )

    def _userinfo(self, _: Any) -> Any:
        return 200, {}, json.dumps({"sub": self.subject, **self.userinfo})

    def id_token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": self.subject,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": self.nonce,
            "preferred_username": "jane@corp.example",
            "groups": self.groups,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "kid": getattr(self.signs_with, "kid", None), **self.header}
        header = {name: value for name, value in header.items() if value is not None}
        if header["alg"] == "none":
            return f"{_part(header)}.{_part(claims)}."
        signer = self.signs_with
        if header["alg"] == "HS256":
            shared = signer if isinstance(signer, bytes) else SECRET.encode()
            text = f"{_part(header)}.{_part(claims)}"
            return f"{text}.{_base64(hmac.digest(shared, text.encode(), 'sha256'))}"
        return jwt.encode(header, claims, signer, algorithms=[header["alg"]])


def _part(value: Any) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def at_hash(access_token: str) -> str:
    """Return the hash of an access token that an RS256 ID token names."""
    return _base64(hashlib.sha256(access_token.encode()).digest()[:16])


def begin(organisation: Organisation, browser: Client, page: str = "") -> dict[str, str]:
    """Start a sign-in; return what the provider sends back to the callback."""
    started = browser.get("/admin/oidc/start", {"next": page} if page else {})
    assert started.status_code == 302, started.content.decode()
    sent = parse_qs(urlsplit(started.headers["Location"]).query)
    organisation.nonce = sent["nonce"][0]
    return {"code": "code-1", "state": sent["state"][0], "iss": ISSUER}


def sign_in(organisation: Organisation, browser: Client, page: str = "") -> Any:
    """Sign somebody in as `organisation` has them; return the answer to the callback."""
    return browser.get("/admin/oidc/callback", begin(organisation, browser, page))
