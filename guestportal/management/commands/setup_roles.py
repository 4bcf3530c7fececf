"""Make the three groups of the contract's section 6."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand
from django.db import transaction

from guestportal.roles import ROLES


class Command(BaseCommand):
    help = (
        "Creates or updates the groups Compliance reviewer, CRM administrator and Auditor with "
        "exactly their permissions. Changes nothing else; safe to run again."
    )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        for name, wanted in ROLES.items():
            group, _ = Group.objects.get_or_create(name=name)
            group.permissions.set([_permission(label) for label in wanted])
            self.stdout.write(f"{name}: {len(wanted)} permissions")


def _permission(label: str) -> Permission:
    app, codename = label.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)
