"""The identity provider as its discovery document describes it, and what we ask of it.

OpenID Connect Discovery 1.0, Core 1.0 (code flow), RP-Initiated Logout 1.0; PKCE (RFC 7636). The
document is read anew each time: staff sign in rarely, and what changed there holds at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.discovery import get_well_known_url
from django.conf import settings

from guestportal.signin.calls import Calls, require_safe
from guestportal.signin.failures import SignInFailed
from provisioning.genesys.transport import Answer

# What a provider may say at the callback or the token endpoint (RFC 6749, OpenID Connect Core):
# anything else is its own text, which no log should hold.
_ERRORS = frozenset(
    [
        *("access_denied", "server_error", "temporarily_unavailable", "login_required"),
        *("invalid_request", "invalid_scope", "unsupported_response_type", "consent_required"),
        *("interaction_required", "account_selection_required", "request_not_supported"),
        *("invalid_client", "unauthorized_client", "invalid_grant", "unsupported_grant_type"),
        "unmet_authentication_requirements",
    ]
)
# An address that a provider's web server takes; of a longer token `client_id` says enough.
_LONGEST_HINT = 4_000
_OURS_TO_SET = {"invalid_client", "unauthorized_client"}


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gave; each but `access` may be empty."""

    access: str = field(repr=False)
    id_token: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)


@dataclass(frozen=True)
class Provider:
    """A provider whose document was read; `calls` bounds what is still asked of it."""

    document: Mapping[str, Any]
    calls: Calls

    @property
    def algorithms(self) -> frozenset[str] | None:
        """Return how it says it signs ID tokens; None where it does not say."""
        named = self.document.get("id_token_signing_alg_values_supported")
        return frozenset(map(str, named)) if isinstance(named, list) and named else None

    @property
    def names_itself_in_answers(self) -> bool:
        """Tell whether `iss` must come with a callback (RFC 9207)."""
        return self.document.get("authorization_response_iss_parameter_supported") is True

    def require_endpoints(self) -> None:
        """Raise SignInFailed unless the document names what every sign-in needs."""
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self._endpoint(name)

    def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return where a browser signs in."""
        wanted = {
            "response_type": "code",
            "client_id": settings.OIDC_CLIENT_ID,
            "redirect_uri": redirect_uri,
            "scope": settings.OIDC_SCOPES,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        if settings.OIDC_REQUIRED_ACR:
            wanted["acr_values"] = settings.OIDC_REQUIRED_ACR
        return str(add_params_to_uri(self._endpoint("authorization_endpoint"), wanted.items()))

    def require_registered(self, url: str, *, redirect_uri: str) -> None:
        """Raise SignInFailed where the provider refuses the request at `url` outright.

        It may not send a browser back to an address that is not registered (RFC 6749, 4.1.2.1), so
        nobody would tell us. Only its 400 counts: that page is made for browsers, and may be of any
        size, behind a guard against robots, or out of this server's reach.
        """
        try:
            refused = self.calls.get(url).status == 400
        except SignInFailed:
            return
        if refused:
            raise SignInFailed("redirect", redirect_uri)

    def redeem(self, *, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """Return the tokens for a code. Raises SignInFailed."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        tokens = self._tokens(form)
        if not tokens.id_token:
            raise SignInFailed("nonsense", "no ID token (OIDC_SCOPES)")
        return tokens

    def refresh(self, *, refresh_token: str) -> Tokens:
        """Return new tokens for a refresh token, which may hold on. Raises SignInFailed."""
        tokens = self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})
        return Tokens(tokens.access, tokens.id_token, tokens.refresh or refresh_token)

    def userinfo(self, *, access_token: str, subject: str) -> Mapping[str, Any]:
        """Return what userinfo says of `subject`; nothing where there is none.

        Raises SignInFailed, also where it speaks of somebody else (Core 1.0, 5.3.2).
        """
        if not self.document.get("userinfo_endpoint"):
            return {}
        answer = self.calls.get(self._endpoint("userinfo_endpoint"), token=access_token)
        if answer.status in (401, 403):
            raise SignInFailed("ended", f"userinfo: {answer.status}")
        claims = _object(answer, "userinfo")
        if claims.get("sub") != subject:
            raise SignInFailed("token", "userinfo is about another subject")
        return claims

    def keys(self) -> list[Any]:
        """Return its public keys as they are now (JWK). Raises SignInFailed."""
        keys = _object(self.calls.get(self._endpoint("jwks_uri")), "keys").get("keys")
        if not isinstance(keys, list):
            raise SignInFailed("nonsense", "keys: no list")
        return keys

    def end_session_url(self, *, id_token: str, back_to: str) -> str:
        """Return where a browser signs out there; empty where the provider has no such place."""
        if not self.document.get("end_session_endpoint"):
            return ""
        wanted = {"client_id": settings.OIDC_CLIENT_ID, "post_logout_redirect_uri": back_to}
        if 0 < len(id_token) <= _LONGEST_HINT:
            wanted["id_token_hint"] = id_token
        return str(add_params_to_uri(self._endpoint("end_session_endpoint"), wanted.items()))

    def _tokens(self, form: Mapping[str, str]) -> Tokens:
        url = self._endpoint("token_endpoint")
        secret = settings.OIDC_CLIENT_SECRET
        methods = self.document.get("token_endpoint_auth_methods_supported")
        in_form = isinstance(methods, list) and "client_secret_basic" not in methods
        if in_form:
            form = {**form, "client_id": settings.OIDC_CLIENT_ID, "client_secret": secret}
        # Encoded as a form's values before they are put together (RFC 6749, 2.3.1).
        basic = (quote(settings.OIDC_CLIENT_ID, safe=""), quote(secret, safe=""))
        answer = self.calls.post(url, form, auth=None if in_form else basic)
        if answer.status in (400, 401, 403):
            raise _refused(answer)
        given = _object(answer, "token endpoint")
        texts = {
            name: given.get(name, "") for name in ("access_token", "id_token", "refresh_token")
        }
        if not all(map(_is_token, texts.values())) or not texts["access_token"]:
            raise SignInFailed("nonsense", "token endpoint: no access token")
        return Tokens(texts["access_token"], texts["id_token"], texts["refresh_token"])

    def _endpoint(self, name: str) -> str:
        url = self.document.get(name)
        if not isinstance(url, str):
            raise SignInFailed("nonsense", f"discovery: no {name}")
        require_safe(url)
        return url


def discover() -> Provider:
    """Read the document of OIDC_ISSUER; what is asked later shares its deadline.

    Raises SignInFailed, also where the document is another issuer's (Discovery 1.0, 4.3).
    """
    if not settings.OIDC_ISSUER:
        raise SignInFailed("issuer", "it is not set")
    calls = Calls()
    url = get_well_known_url(settings.OIDC_ISSUER, external=True)
    document = _object(calls.get(url), "discovery")
    if document.get("issuer") != settings.OIDC_ISSUER:
        raise SignInFailed("issuer")
    provider = Provider(document, calls)
    provider.require_endpoints()
    return provider


def known_error(text: object) -> str:
    """Return an error code of the protocol; ``other`` for a provider's own text."""
    return text if isinstance(text, str) and text in _ERRORS else "other"


def _is_token(text: object) -> bool:
    """Tell whether this can be a token, or none: visible ASCII (RFC 6749, appendix A.12, A.17)."""
    return isinstance(text, str) and text.isascii() and text.isprintable()


def _refused(answer: Answer) -> SignInFailed:
    """Return what the token endpoint's refusal comes to (RFC 6749, 5.2)."""
    code = known_error(answer.body.get("error") if isinstance(answer.body, dict) else None)
    if code == "invalid_grant":
        return SignInFailed("code")
    if code in _OURS_TO_SET or answer.status == 401:
        return SignInFailed("client", code)
    return SignInFailed("provider_error", code)


def _object(answer: Answer, what: str) -> Mapping[str, Any]:
    if answer.status != 200 or not isinstance(answer.body, dict):
        raise SignInFailed("nonsense", f"{what}: status {answer.status}")
    return answer.body
