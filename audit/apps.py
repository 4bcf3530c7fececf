"""The audit app: triggers that come back after every migrate, a check that tells when one is gone,
and the signals by which the log hears of the staff."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.core import checks
from django.db import connections
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save, pre_save
from django.db.utils import OperationalError


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit log"

    def ready(self) -> None:
        post_migrate.connect(_install_triggers, sender=self)
        checks.register(_check_triggers, checks.Tags.database)
        _record_the_staff()


def _install_triggers(using: str, **_: Any) -> None:
    from audit import triggers

    triggers.install(using=using)


def _record_the_staff() -> None:
    from django.contrib.auth.models import Group, User

    from audit import staff

    user_logged_in.connect(staff.record_login)
    for roles in (User.groups, User.user_permissions, Group.permissions):
        m2m_changed.connect(staff.record_roles, sender=roles.through)
    pre_save.connect(staff.remember_account, sender=User)
    post_save.connect(staff.record_account, sender=User)
    pre_save.connect(staff.remember_role, sender=Group)
    post_save.connect(staff.record_role, sender=Group)
    for model in (User, Group):
        post_delete.connect(staff.record_deletion, sender=model)


def _check_triggers(*, databases: Any = None, **_: Any) -> list[checks.CheckMessage]:
    """Warn, never err: ``migrate`` runs this check first, and is what mends the matter."""
    from audit import triggers

    if "default" not in (databases or []):
        return []
    try:
        connections["default"].ensure_connection()
    except OperationalError:
        return []  # no database: others say so better
    return [
        checks.Warning(
            f"The audit log can be changed: trigger {name} is missing, altered or disabled.",
            hint="Run `manage.py migrate`; it puts the triggers back.",
            id="audit.W001",
        )
        for name in triggers.missing()
    ]
