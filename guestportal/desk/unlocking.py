"""Opening sign-in again under a name that five wrong passwords have closed.

django-axes counts wrong passwords in the cache, and that may be one process's own: without Redis,
or while Redis is away. No command and no other process can reach what was counted there. So what is
counted is the name together with how often it was unlocked, which the database knows: once that
number has changed, every process counts anew.
"""

from collections.abc import Mapping
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from audit import staff
from backoffice.foreign import is_storable
from guestportal.models import Unlocking
from guestportal.signin import policy

LONGEST_NAME = 150  # of `User.username`


def counted_name(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str | None:
    """Return what wrong passwords are counted under, for AXES_USERNAME_CALLABLE."""
    name: str | None = (credentials or {}).get("username")
    if not name or not is_storable(name, limit=LONGEST_NAME):
        return name
    rows = Unlocking.objects.filter(user__username=name)
    times = rows.values_list("times", flat=True).first()
    under = policy.counted_under(request, name=name)
    return f"{under} unlocked {times}" if times else under


def is_locked(*, request: HttpRequest, user: User) -> bool:
    """Tell whether sign-in is closed under the name of `user`, by what this process can see."""
    counted = AxesProxyHandler.get_failures(request, {"username": user.get_username()})
    return bool(counted >= settings.AXES_FAILURE_LIMIT)


def unlock(*, user: User) -> None:
    """Open sign-in for `user` in every process; the audit log says by whom."""
    with transaction.atomic():
        Unlocking.objects.get_or_create(user=user)
        Unlocking.objects.filter(user=user).update(times=F("times") + 1)
        staff.record_unlocking(user=user)
