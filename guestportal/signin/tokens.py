"""Whether an ID token is what it should be: OpenID Connect Core 1.0, 3.1.3.7, and 12.2.

Authlib checks the claims, joserfc the signature. What they leave open is settled here: which
algorithms there are at all, which key, that times are numbers of this hour, that nobody else is
in the audience.
"""

import math
import time
from collections.abc import Mapping
from typing import Any

from authlib.oidc.core import CodeIDToken
from django.conf import settings
from joserfc import jws, jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from guestportal.signin.failures import SignInFailed
from guestportal.signin.provider import Provider

# Asymmetric ones alone: with `none` or a shared secret anybody could sign.
ALGORITHMS = frozenset(
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
)
LEEWAY = 120  # seconds by which two clocks may differ
OLDEST = 900  # seconds since it was issued; some providers date tokens five minutes back
_LONGEST = 64 * 1024
_LONGEST_SUBJECT = 255  # ASCII (Core 1.0, 2)
_KEYS: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


def claims_of(
    id_token: str, *, provider: Provider, access_token: str, nonce: str = ""
) -> Mapping[str, Any]:
    """Return the claims of an ID token that was issued to us just now.

    `nonce` is what the sign-in was started with; a refreshed token has none. Raises SignInFailed.
    """
    if len(id_token) > _LONGEST:
        raise SignInFailed("token", "too long")
    try:
        token = _verified(id_token, provider)
        claims = token.claims
        if not isinstance(claims, dict):
            raise SignInFailed("token", "no claims")
        _require_times(claims)
        wanted = {
            "iss": {"essential": True, "value": settings.OIDC_ISSUER},
            "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
        }
        params = {
            "nonce": nonce,
            "client_id": settings.OIDC_CLIENT_ID,
            "access_token": access_token,
        }
        CodeIDToken(claims, token.header, wanted, params).validate(leeway=LEEWAY)
    except ExpiredTokenError as exc:
        raise SignInFailed("clock", "exp has passed") from exc
    except ClaimError as exc:
        raise SignInFailed(
            "token", f"claim {exc.claim if exc.claim in claims else 'missing'}"
        ) from exc
    except (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as exc:
        raise SignInFailed("token", type(exc).__name__) from exc
    _require_us_alone(claims)
    _require_subject(claims)
    return claims


def require_acr(claims: Mapping[str, Any]) -> None:
    """Raise SignInFailed unless the sign-in was as strong as OIDC_REQUIRED_ACR."""
    if settings.OIDC_REQUIRED_ACR and claims.get("acr") != settings.OIDC_REQUIRED_ACR:
        raise SignInFailed("acr")


def _verified(id_token: str, provider: Provider) -> jwt.Token:
    """Return the token if one of the provider's keys of this moment signed it.

    The keys are asked for each time, so a key that was revoked signs nothing any more, and a new
    one is known at once.
    """
    allowed = ALGORITHMS & (provider.algorithms or ALGORITHMS)
    header = jws.extract_compact(id_token.encode()).headers()
    if header.get("alg") not in allowed:
        raise SignInFailed("token", "alg is not an allowed one")
    kid = header.get("kid")
    keys = [key for key in _usable(provider.keys()) if kid is None or key.kid == kid]
    if not keys:
        raise SignInFailed("token", "no key of the provider has its kid")
    if len(keys) > 1 and kid is None:
        raise SignInFailed("token", "no kid, and the provider has several keys")
    try:
        return jwt.decode(id_token, KeySet(keys), algorithms=sorted(allowed))
    except InvalidKeyIdError as exc:
        raise SignInFailed("token", "its key is for another use or alg") from exc


def _usable(keys: list[Any]) -> list[Any]:
    """Return the keys that can verify a signature of ALGORITHMS; others may be there too."""
    usable = []
    for key in keys:
        kind = _KEYS.get(str(key.get("kty"))) if isinstance(key, dict) else None
        if kind is None or key.get("use", "sig") != "sig":
            continue
        try:
            usable.append(kind.import_key(key))
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # of a curve or a form we do not know: another one may fit
    return usable


def _require_times(claims: Mapping[str, Any]) -> None:
    """Raise SignInFailed where `exp`, `iat` or `nbf` is no number, or of another hour than ours."""
    now = time.time()
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name)
        if value is None and name == "nbf":
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise SignInFailed("token", f"{name} is no time")
    issued, expires = claims["iat"], claims["exp"]
    starts = claims.get("nbf", issued)
    if max(issued, starts) > now + LEEWAY or issued < now - OLDEST or expires < now - LEEWAY:
        raise SignInFailed("clock", f"issued {round(now - issued):+d} seconds ago by our clock")


def _require_us_alone(claims: Mapping[str, Any]) -> None:
    """Raise SignInFailed where somebody else may use the token too: we trust no other audience."""
    audience = claims["aud"]
    if audience not in (settings.OIDC_CLIENT_ID, [settings.OIDC_CLIENT_ID]):
        raise SignInFailed("token", "aud names others too")


def _require_subject(claims: Mapping[str, Any]) -> None:
    subject = claims["sub"]
    if not 0 < len(subject) <= _LONGEST_SUBJECT or not (
        subject.isascii() and subject.isprintable()
    ):
        raise SignInFailed("token", "sub is none")
