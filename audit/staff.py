"""What the audit log says of the staff: who signed in, who got or lost which rights, who saw what.

Rights and sign-ins come from Django's own signals (`audit.apps` connects them), so the command line
and the shell are covered too. Failed sign-ins are the lockout's: nobody outside may make the log
grow. Pages that show or hand out something call `record_view`.
"""

from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import models, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from audit import log

_FLAGS = ("is_active", "is_staff", "is_superuser")
_PARTICULARS = ("username", "first_name", "last_name", "email", "password")
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


def name(thing: models.Model) -> str:
    """Return how the log names an account (by number: the log holds no names), role or right."""
    if isinstance(thing, Permission):
        return f"permission:{thing.content_type.app_label}.{thing.codename}"
    if isinstance(thing, Group):
        return f"group:{thing.name}"
    return f"staff:{thing.pk}"


def actor(request: HttpRequest | None) -> str:
    """Return who sent `request`, as the log names them; ``system`` where nobody signed in did."""
    user: Any = getattr(request, "user", None)
    return name(user) if user is not None and user.is_authenticated else "system"


def record_view(
    request: HttpRequest, *, kind: str, data: Mapping[str, Any], subject: str = ""
) -> None:
    """Record, in a transaction of its own, something that `request`'s sender saw or took."""
    _record(kind, actor=actor(request), data=data, subject=subject)


def record_reveal(request: HttpRequest, *, session_hash: str, data: Mapping[str, Any]) -> None:
    """Record that `request`'s sender saw a visitor's personal data unmasked."""
    subject = log.pseudonym(session_hash=session_hash)
    record_view(request, kind="personal_data.revealed", data=data, subject=subject)


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
    _record("staff.rights_changed", data=data)


def remember_account(*, instance: User, **_: Any) -> None:
    """Keep what stands in the database of a user who is about to be saved."""
    stored = User.objects.filter(pk=instance.pk).values(*_FLAGS, *_PARTICULARS).first()
    instance._stored = stored or dict.fromkeys(_FLAGS, False)  # type: ignore[attr-defined]


def record_account(
    *, instance: User, created: bool, update_fields: Collection[str] | None = None, **_: Any
) -> None:
    """Record a new staff account, what an account may do at all, or which particulars changed."""
    before = instance._stored  # type: ignore[attr-defined]
    flags = {flag: before[flag] for flag in _FLAGS}
    after = {flag: getattr(instance, flag) for flag in _FLAGS}
    staff = after["is_staff"] or after["is_superuser"]
    who = name(instance)
    if after != flags and (staff or not created):
        _record("staff.account_changed", data={"who": who, "before": flags, "after": after})
    if created or not staff or _nobody_asked():
        return
    saved = _PARTICULARS if update_fields is None else set(_PARTICULARS) & set(update_fields)
    if fields := sorted(each for each in saved if getattr(instance, each) != before[each]):
        _record("staff.particulars_changed", data={"who": who, "fields": fields})


def remember_role(*, instance: Group, **_: Any) -> None:
    """Keep the name that a role has in the database before it is saved."""
    stored = Group.objects.filter(pk=instance.pk).first()
    instance._stored = name(stored) if stored else ""  # type: ignore[attr-defined]


def record_role(*, instance: Group, created: bool, **_: Any) -> None:
    """Record a role's new name: later events call it by that."""
    before = instance._stored  # type: ignore[attr-defined]
    if not created and before != name(instance):
        _record("staff.role_renamed", data={"who": name(instance), "before": before})


def record_deletion(*, instance: User | Group, **_: Any) -> None:
    """Record that an account or a role is gone, and with it the rights it gave."""
    _record("staff.deleted", data={"who": name(instance)})


def record_unlocking(*, user: User) -> None:
    """Record that sign-in was opened again for `user`, whom wrong passwords had locked out."""
    _record("staff.unlocked", data={"who": name(user)})


def _record(
    kind: str, *, actor: str = "", data: Mapping[str, Any] | None = None, subject: str = ""
) -> None:
    """Record an event in a transaction of its own; without `actor`, by who sent the request."""
    with transaction.atomic():
        log.record(kind=kind, actor=actor or _current_actor(), data=data, subject=subject)


def _nobody_asked() -> bool:
    """Tell whether a stranger is signing in: Django then may hash the same password anew."""
    request = _request.get()
    return request is not None and actor(request) == "system"


def _current_actor() -> str:
    return actor(_request.get())
