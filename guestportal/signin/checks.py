"""System checks of sign-in by the identity provider: what is missing, unsafe or unwise, by name."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, InterfaceError

from guestportal.loopback import is_loopback
from guestportal.signin import policy

_NEEDED = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_GROUP_MAP")


def errors() -> Iterator[CheckMessage]:
    """Yield what `make serve` refuses."""
    if settings.ADMIN_LOGIN == "password":
        return
    if missing := [name for name in _NEEDED if not getattr(settings, name)]:
        hint = "Set them, or ADMIN_LOGIN to password: see docs/operators.md, Single sign-on."
        yield _error(20, ", ".join(missing), "not set, and ADMIN_LOGIN needs them.", hint)
    issuer = urlsplit(settings.OIDC_ISSUER)
    if issuer.scheme == "http" and not is_loopback(host=issuer.hostname or ""):
        hint = "Use https; plain http is for a provider on loopback."
        yield _error(21, "OIDC_ISSUER", "is plain http.", hint)


def warnings() -> Iterator[CheckMessage]:
    """Yield what `check --deploy` warns of."""
    if settings.ADMIN_LOGIN == "password":
        set_for_nothing = [name for name in _NEEDED if getattr(settings, name)]
        if set_for_nothing:
            hint = "Set ADMIN_LOGIN to oidc or both, or unset them."
            named = ", ".join(set_for_nothing)
            yield _warning(20, named, "set, and ADMIN_LOGIN is password.", hint)
        return
    if unknown := _unknown_groups():
        hint = "Run setup_roles, or correct the names: whom they stand for cannot sign in."
        sentence = f"names groups that do not exist here: {', '.join(unknown)}."
        yield _warning(21, "OIDC_GROUP_MAP", sentence, hint)
    if settings.ADMIN_LOGIN == "oidc" and not _has_break_glass():
        hint = "Keep a local superuser: createsuperuser, then enrol_mfa USER."
        sentence = (
            "is oidc without a break-glass account: nobody gets in while the provider is down."
        )
        yield _warning(23, "ADMIN_LOGIN", sentence, hint)
    if settings.ADMIN_MFA == "required" and not settings.OIDC_REQUIRED_ACR:
        hint = "Set it to what the provider calls a sign-in with a second factor, if it names one."
        sentence = "is not set: that staff use a second factor is the provider's word alone."
        yield _warning(22, "OIDC_REQUIRED_ACR", sentence, hint)


def _unknown_groups() -> list[str]:
    """Return the groups of the map that are not there; none where nobody can tell."""
    named = {ours for each in settings.OIDC_GROUP_MAP.values() for ours in each}
    try:
        there = set(Group.objects.filter(name__in=named).values_list("name", flat=True))
    except (DatabaseError, InterfaceError):
        return []  # no database, or not migrated: others say so
    return sorted(named - there)


def _has_break_glass() -> bool:
    """Tell whether there is a break-glass account; True where nobody can tell."""
    try:
        superusers = User.objects.filter(is_superuser=True, is_active=True)
        return any(policy.is_break_glass(user=user) for user in superusers[:20])
    except (DatabaseError, InterfaceError):
        return True


def _error(number: int, name: str, sentence: str, hint: str) -> Error:
    return Error(f"{name}: {sentence}", hint=hint, id=f"guestportal.E{number:03}")


def _warning(number: int, name: str, sentence: str, hint: str) -> Warning:
    return Warning(f"{name}: {sentence}", hint=hint, id=f"guestportal.W{number:03}")
