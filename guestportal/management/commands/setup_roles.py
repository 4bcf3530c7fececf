"""Make the three groups of the contract's section 6."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand
from django.db import transaction

# group -> "app.codename"; Django's own permissions plus those that models declare.
ROLES: dict[str, tuple[str, ...]] = {
    "Compliance reviewer": (
        "provisioning.view_guestcreation",
        "provisioning.view_withdrawal",
        "provisioning.view_notice",
        "provisioning.view_review",
        "provisioning.add_review",
        *(f"provisioning.{verb}_noticedraft" for verb in ("view", "add", "change", "delete")),
        "provisioning.publish_notice",
        "provisioning.export_subject",
        "provisioning.erase_subject",
        "provisioning.withdraw_consent",
        *(f"provisioning.{verb}_legalhold" for verb in ("view", "add", "delete")),
        "provisioning.view_platformdeletion",
        "provisioning.change_platformdeletion",
        "audit.view_auditevent",
        "audit.view_auditseal",
        "audit.export_log",
    ),
    "CRM administrator": (
        *(f"crm.{verb}_crmrecord" for verb in ("view", "add", "change", "delete")),
        "crm.reveal_crmrecord",
        *(f"crm.{verb}_attributemapping" for verb in ("view", "add", "change", "delete")),
        *(f"crm.{verb}_apitoken" for verb in ("view", "add", "delete")),
    ),
    "Auditor": (
        "audit.view_auditevent",
        "audit.view_auditseal",
        "audit.export_log",
        "audit.verify_log",
    ),
}


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
