"""Who may come in, and how: ADMIN_LOGIN, ADMIN_MFA, and the break-glass account.

The break-glass account is for the day on which the provider is down: a superuser who belongs to
nobody there, with a password and a one-time code, whatever ADMIN_MFA says.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django_otp import user_has_device

from guestportal.api.limits import client_address
from guestportal.models import StaffIdentity
from guestportal.signin.failures import SENTENCES

_BY, _PROVIDER, _OUT = "signed_in_by", "oidc", "signed_out_because"
_ELSEWHERE = "An account that signs in with your organisation has no password here."
_BREAK_GLASS_ONLY = (
    "Here a password opens the break-glass account alone: a superuser with a one-time code "
    "(manage.py enrol_mfa)."
)
_CODE_REQUIRED = (
    "A one-time code is required here. If you have none, ask an administrator to run "
    "manage.py enrol_mfa for you."
)


def mark(request: HttpRequest) -> None:
    """Note in the session that the provider vouches for the sender."""
    request.session[_BY] = _PROVIDER
    request.session.pop(_OUT, None)


def is_by_provider(request: HttpRequest) -> bool:
    """Tell whether the sender's session was opened by the provider."""
    session = getattr(request, "session", None)
    return session is not None and session.get(_BY) == _PROVIDER


def may_enter(request: HttpRequest) -> bool:
    """Tell whether the way the sender signed in opens the staff pages now.

    Where the provider vouches, one-time codes are its business (OIDC_REQUIRED_ACR).
    """
    if is_by_provider(request):
        return bool(settings.ADMIN_LOGIN != "password")
    user: Any = request.user
    if settings.ADMIN_LOGIN == "oidc":
        return bool(user.is_superuser and user.is_verified())
    return settings.ADMIN_MFA != "required" or bool(user.is_verified())


def may_sign_in_by_password(*, user: User) -> bool:
    """Tell whether `user`, whose password was right, may sign in by it."""
    if StaffIdentity.objects.filter(user=user).exists():
        return False
    return settings.ADMIN_LOGIN != "oidc" or is_break_glass(user=user)


def is_break_glass(*, user: User) -> bool:
    """Tell whether `user` is a break-glass account: a local superuser with a one-time code."""
    local = user.is_active and user.is_staff and user.is_superuser
    return bool(
        local and user_has_device(user) and not StaffIdentity.objects.filter(user=user).exists()
    )


def counted_under(request: HttpRequest | None, *, name: str) -> str:
    """Return under what wrong passwords for `name` are counted.

    For the break-glass account each address counts for itself: nobody can lock it from outside.
    """
    if request is None or settings.ADMIN_LOGIN == "password":
        return name
    user = User.objects.filter(username=name, is_superuser=True).first()
    if user is None or not is_break_glass(user=user):
        return name
    return f"{name} from {client_address(request)}"


def remember_why_out(request: HttpRequest, *, code: str) -> None:
    """Let the sign-in page say once why the sender was signed out."""
    request.session[_OUT] = code


def login_page(request: HttpRequest) -> dict[str, Any]:
    """Return what the sign-in page shows: the button, the form, and why somebody was signed out."""
    out = request.session.pop(_OUT, "") if _OUT in request.session else ""
    by_provider = settings.ADMIN_LOGIN != "password"
    by_code = settings.ADMIN_MFA == "required" and settings.ADMIN_LOGIN != "oidc"
    asked_for = "password" in request.GET or request.method == "POST"
    return {
        "by_provider": by_provider,
        "by_password": settings.ADMIN_LOGIN != "oidc" or asked_for,
        "password_hints": [*_whom_a_password_lets_in(), *[_CODE_REQUIRED] * by_code],
        "signed_out_because": SENTENCES[out].person if out in SENTENCES else "",
    }


def _whom_a_password_lets_in() -> list[str]:
    """Return what the page says to everybody: an answer to one name would tell about it."""
    if settings.ADMIN_LOGIN == "oidc":
        return [_BREAK_GLASS_ONLY]
    return [_ELSEWHERE] if StaffIdentity.objects.exists() else []
