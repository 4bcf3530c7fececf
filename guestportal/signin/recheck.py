"""Whether the provider still vouches for who is signed in: asked every OIDC_RECHECK_MINUTES.

The next request of theirs asks, before anything else is done with it. Whoever has no group left
is signed out by it. While the provider cannot be reached, people stay for one more such time.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from guestportal.models import StaffIdentity
from guestportal.signin import accounts, kept_tokens, person, policy, provider
from guestportal.signin.failures import CHECKS, SignInFailed, report

# Meanwhile other requests of the person go on: one asks, and not each waits for a dead provider.
_ONE_ASKS = timedelta(seconds=30)
_TROUBLE = frozenset(["unreachable", "nonsense"])  # of the provider's, not of the person's


class RecheckMiddleware:
    """Sign out whom the provider no longer vouches for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES
        if signed_in and policy.is_by_provider(request) and request.user.is_authenticated:
            _sign_out_unless_vouched_for(request)
        return self.get_response(request)


def _sign_out_unless_vouched_for(request: HttpRequest) -> None:
    try:
        _require_vouched_for(request, now=timezone.now())
    except SignInFailed as failure:
        report(failure, counter=CHECKS)
        logout(request)
        policy.remember_why_out(request, code=failure.code)


def _require_vouched_for(request: HttpRequest, *, now: datetime) -> None:
    """Raise SignInFailed unless the provider vouches for the sender, as far as is known."""
    user: Any = request.user
    rows = StaffIdentity.objects.select_related("user")
    identity = rows.filter(user_id=user.pk, issuer=settings.OIDC_ISSUER).first()
    if identity is None or identity.checked_at is None or settings.ADMIN_LOGIN == "password":
        raise SignInFailed("ended", "the account is not this provider's")
    every = timedelta(minutes=settings.OIDC_RECHECK_MINUTES)
    age = abs(now - identity.checked_at)  # a moment to come is a clock's that was put back
    if age < every:
        return
    if _is_ours_to_ask(identity, now) and _ask(identity):
        return
    if age >= 2 * every:
        raise SignInFailed("unreachable", "for longer than OIDC_RECHECK_MINUTES")


def _is_ours_to_ask(identity: StaffIdentity, now: datetime) -> bool:
    """Take the asking upon this request; tell whether no other one has."""
    free = Q(asked_at=None) | Q(asked_at__lt=now - _ONE_ASKS) | Q(asked_at__gt=now + _ONE_ASKS)
    rows = StaffIdentity.objects.filter(free, pk=identity.pk)
    return rows.update(asked_at=now) == 1


def _ask(identity: StaffIdentity) -> bool:
    """Let the account follow the provider; tell whether it answered. Raises SignInFailed."""
    kept = kept_tokens.read(identity=identity)
    try:
        if kept is None:
            raise SignInFailed("ended", "no tokens are kept")
        found = person.asked_again(
            provider=provider.discover(), kept=kept, subject=identity.subject
        )
        accounts.update(identity=identity, person=found)
    except SignInFailed as failure:
        if failure.code not in _TROUBLE:
            kept_tokens.forget(user_id=identity.user_id)
            raise
        report(failure, counter=CHECKS)
        return False
    CHECKS.labels("vouched_for").inc()
    return True
