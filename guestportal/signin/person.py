"""What the identity provider says of a person: who they are there, and in which groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from guestportal.signin import tokens
from guestportal.signin.failures import SignInFailed
from guestportal.signin.provider import Provider, Tokens

# Beside Okta's and Entra's own limits (100 and 200): what a token of 256 KB could hold.
_MOST_GROUPS = 5_000


@dataclass(frozen=True)
class Person:
    """A person at the provider. `groups` are its own names; None where it does not say any."""

    subject: str = field(repr=False)
    name: str = field(repr=False)
    groups: frozenset[str] | None = field(repr=False)
    tokens: Tokens = field(repr=False)
    left_out: bool = False

    @property
    def silence(self) -> SignInFailed:
        """Return why there are no groups, where the provider does not say any."""
        return SignInFailed("too_many_groups" if self.left_out else "claim")


def just_signed_in(
    *, provider: Provider, code: str, verifier: str, nonce: str, redirect_uri: str
) -> Person:
    """Return who came back with `code`. Raises SignInFailed."""
    given = provider.redeem(code=code, verifier=verifier, redirect_uri=redirect_uri)
    claims = tokens.claims_of(
        given.id_token, provider=provider, access_token=given.access, nonce=nonce
    )
    tokens.require_acr(claims)
    return _person(claims["sub"], claims, provider, given)


def asked_again(*, provider: Provider, kept: Tokens, subject: str) -> Person:
    """Return what the provider says now of `subject`, who signed in earlier.

    By the refresh token, where it gave one; else by userinfo alone. Raises SignInFailed.
    """
    if not kept.refresh:
        person = _person(subject, {}, provider, kept)
        if person.groups is None:
            raise SignInFailed("not_renewable")
        return person
    try:
        given = provider.refresh(refresh_token=kept.refresh)
    except SignInFailed as exc:
        if exc.code != "code":
            raise
        raise SignInFailed("ended", "the refresh token") from exc
    claims: Mapping[str, Any] = {}
    if given.id_token:
        claims = tokens.claims_of(given.id_token, provider=provider, access_token=given.access)
        if claims["sub"] != subject:
            raise SignInFailed("token", "the refreshed token is about another subject")
    return _person(subject, claims, provider, given)


def _person(subject: str, claims: Mapping[str, Any], provider: Provider, given: Tokens) -> Person:
    """Return the person of these claims; userinfo is asked where they do not name the groups."""
    groups = _groups(claims)
    if groups is None:
        claims = {**claims, **provider.userinfo(access_token=given.access, subject=subject)}
        groups = _groups(claims)
    name = claims.get("preferred_username")
    elsewhere = claims.get("_claim_names")
    return Person(
        subject=subject,
        name=name if isinstance(name, str) else "",
        groups=groups,
        tokens=given,
        left_out=isinstance(elsewhere, dict) and settings.OIDC_GROUPS_CLAIM in elsewhere,
    )


def _groups(claims: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the groups that a claim lists; a single one may stand as text. Raises SignInFailed."""
    listed = _claim(claims, settings.OIDC_GROUPS_CLAIM)
    if listed is None:
        return None
    if isinstance(listed, str):
        return frozenset([listed])
    if not isinstance(listed, list) or len(listed) > _MOST_GROUPS:
        raise SignInFailed("claim", "it is no list of names")
    return frozenset(each for each in listed if isinstance(each, str))


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, which may hold dots, or else by a path of names with dots."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found
