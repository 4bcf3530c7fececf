"""The audit app: its triggers come back after every migrate, and a check tells when one is gone."""

from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db import connections
from django.db.models.signals import post_migrate
from django.db.utils import OperationalError


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit log"

    def ready(self) -> None:
        post_migrate.connect(_install_triggers, sender=self)
        checks.register(_check_triggers, checks.Tags.database)


def _install_triggers(using: str, **_: Any) -> None:
    from audit import triggers

    triggers.install(using=using)


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
