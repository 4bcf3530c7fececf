"""Tokens of the sync API, and what a call that brings one may do.

A token is shown once, when it is issued, and kept only as its hash.
"""

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, DjangoModelPermissions
from rest_framework.request import Request

from audit import log
from crm.models import ApiToken

# Lets a secret scanner recognise a token that got into a repository.
PREFIX = "gpat_"
# One that would end later was made by a clock that has been corrected since: it has ended.
LONGEST_LIFE = timedelta(days=366)
_USE_IS_TOLD_EVERY = timedelta(minutes=1)
_SCHEMES = (b"bearer", b"token")  # RFC 6750, and what clients of other DRF services send


def issue_token(
    *,
    user: AbstractBaseUser,
    replace: bool = False,
    actor: str = "system",
    name: str = "",
    scope: str = ApiToken.Scope.WRITE,
    expires_at: datetime | None = None,
) -> str:
    """Return a new token of `user`; with `replace` every earlier one ends with this call.

    256 random bits, so one SHA-256 is enough: there is no dictionary of them to guess from.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        if replace:
            ApiToken.objects.filter(user_id=user.pk).delete()
        ApiToken.objects.create(
            user_id=user.pk,
            token_hash=_hash(token.encode()),
            name=name,
            scope=scope,
            expires_at=expires_at,
        )
        data = {"user": user.pk, "replaced": replace, "scope": str(scope)}
        log.record(kind="api_token.issued", actor=actor, data=data)
    return token


def end_token(*, token: ApiToken, actor: str) -> None:
    """Delete `token`, with its event: from the commit on it opens nothing."""
    with transaction.atomic():
        data = {"who": f"staff:{token.user_id}"}
        log.record(kind="api_token.ended", actor=actor, data=data)
        token.delete()


class TokenAuthentication(BaseAuthentication):
    """Accept ``Authorization: Bearer <token>``; no cookie, so nothing a page could ride on."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() not in _SCHEMES:
            return None
        tokens = ApiToken.objects.select_related("user").filter(user__is_active=True)
        now = timezone.now()
        ends = Q(expires_at__gt=now, expires_at__lte=now + LONGEST_LIFE)
        good = tokens.filter(Q(expires_at=None) | ends)
        found = good.filter(token_hash=_hash(token.strip())).first()
        if found is None:
            raise AuthenticationFailed
        _note_use(found, now)
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 says in WWW-Authenticate (RFC 9110 section 11.6.1)."""
        return 'Bearer realm="crm"'


class RecordPermissions(DjangoModelPermissions):
    """Reading needs the view permission; an upsert may do both, so it needs both."""

    perms_map = {
        "GET": ["crm.view_crmrecord"],
        "HEAD": ["crm.view_crmrecord"],
        "OPTIONS": ["crm.view_crmrecord"],
        "POST": ["crm.add_crmrecord", "crm.change_crmrecord"],
        "PUT": ["crm.add_crmrecord", "crm.change_crmrecord"],
        "DELETE": ["crm.delete_crmrecord"],
    }

    def has_permission(self, request: Request, view: Any) -> bool:
        reads = request.method in SAFE_METHODS
        if isinstance(request.auth, ApiToken) and request.auth.scope != ApiToken.Scope.WRITE:
            return reads and super().has_permission(request, view)
        return super().has_permission(request, view)


def _note_use(token: ApiToken, now: datetime) -> None:
    if token.last_used_at is None or abs(now - token.last_used_at) >= _USE_IS_TOLD_EVERY:
        # Whoever only reads is served while nothing can be written.
        with suppress(DatabaseError):
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _hash(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()
