"""Tokens of the sync API: shown once when they are issued, kept only as hashes."""

import hashlib
import secrets
from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from audit import log
from crm.models import ApiToken

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Lets a secret scanner recognise a token that got into a repository.
PREFIX = "gpat_"


def issue_token(*, user: AbstractBaseUser, replace: bool) -> str:
    """Return a new token of `user`; with `replace` every earlier one ends with this call.

    256 random bits, so one SHA-256 is enough: there is no dictionary of them to guess from.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        if replace:
            ApiToken.objects.filter(user_id=user.pk).delete()
        ApiToken.objects.create(user_id=user.pk, token_hash=_hash(token))
        data = {"user": user.pk, "replaced": replace}
        log.record(kind="api_token.issued", actor="system", data=data)
    return token


def user_of(*, token: str) -> "User | None":
    """Return the active user whom `token` was issued to, or None."""
    found = ApiToken.objects.select_related("user").filter(
        token_hash=_hash(token), user__is_active=True
    )
    known = found.first()
    return known.user if known else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
