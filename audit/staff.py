"""What the audit log says of the staff: who signed in, and who got or lost which rights.

Django's own signals tell (`guestportal.apps` connects them), so the command line and the shell are
covered too. Failed sign-ins are the lockout's: nobody outside may make the log grow.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import models, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from audit import log

_FLAGS = ("is_active", "is_staff", "is_superuser")
_CHANGES = {"post_add": "added", "post_remove": "removed", "pre_clear": "cleared"}
_request: ContextVar[HttpRequest | None] = ContextVar("staff_request", default=None)


class StaffMiddleware:
    """Remember the request while it is served: a signal does not say who caused it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        reset = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(reset)


def record_login(*, user: Any, **_: Any) -> None:
    """Record that `user` signed in, if they are staff."""
    if user.is_staff:
        _record("staff.login", actor=name(user))


def record_roles(*, instance: Any, action: str, model: Any, pk_set: Any, **_: Any) -> None:
    """Record a change of a user's groups or permissions, or of a group's permissions."""
    if action not in _CHANGES:
        return
    other = model._default_manager.filter(pk__in=pk_set) if pk_set is not None else []
    data = {"who": name(instance), "change": _CHANGES[action], "what": sorted(map(name, other))}
    _record("staff.rights_changed", actor=_actor(), data=data)


def remember_flags(*, instance: User, **_: Any) -> None:
    """Keep what stands in the database of a user who is about to be saved."""
    stored = User.objects.filter(pk=instance.pk).values(*_FLAGS).first()
    instance._stored_flags = stored or dict.fromkeys(_FLAGS, False)  # type: ignore[attr-defined]


def record_flags(*, instance: User, created: bool, **_: Any) -> None:
    """Record a new staff account, or a change of what an account may do at all."""
    before = instance._stored_flags  # type: ignore[attr-defined]
    after = {flag: getattr(instance, flag) for flag in _FLAGS}
    staff = after["is_staff"] or after["is_superuser"]
    if after != before and (staff or not created):
        data = {"who": name(instance), "before": before, "after": after}
        _record("staff.account_changed", actor=_actor(), data=data)


def record_deletion(*, instance: User | Group, **_: Any) -> None:
    """Record that an account or a role is gone, and with it the rights it gave."""
    _record("staff.deleted", actor=_actor(), data={"who": name(instance)})


def name(thing: models.Model) -> str:
    """Return how the log names an account (by number: the log holds no names), role or right."""
    if isinstance(thing, Permission):
        return f"permission:{thing.content_type.app_label}.{thing.codename}"
    if isinstance(thing, Group):
        return f"group:{thing.name}"
    return f"staff:{thing.pk}"


def _actor() -> str:
    request = _request.get()
    user = getattr(request, "user", None)
    return name(user) if user is not None and user.is_authenticated else "system"


def _record(kind: str, *, actor: str, data: dict[str, Any] | None = None) -> None:
    with transaction.atomic():
        log.record(kind=kind, actor=actor, data=data)


def actor(request: HttpRequest) -> str:
    """Return the log's name for whoever sent `request`: ``staff:<user id>``."""
    return f"staff:{request.user.pk}"


def record_view(
    request: HttpRequest, *, kind: str, data: Mapping[str, Any], subject: str = ""
) -> None:
    """Record, in a transaction of its own, something that `request`'s sender saw or took."""
    with transaction.atomic():
        log.record(kind=kind, actor=actor(request), subject=subject, data=data)
