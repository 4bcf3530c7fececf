"""Make what a first look needs: roles, CRM records, a privacy notice, an administrator."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from crm import changes, sessions
from crm.models import AttributeMapping, CrmRecord
from crm.sessions import hash_session
from provisioning import mappings
from provisioning.consent import notices
from provisioning.models import Notice, NoticeDraft

VISITORS = (
    ("demo-session-jane", "jane.doe@example.com", "Jane", "Enterprise", 12),
    ("demo-session-john", "john.smith@example.com", "John", "Standard", 3),
)
ADMINISTRATOR = "demo-admin"
NOTICE_VERSION = "demo-1"
NOTICE_TEXT = (
    "An agent answers you through Genesys Cloud. If you agree, we give it your first name, your"
    " e-mail address, your support tier and the number of your earlier tickets, as far as we know"
    " them.\n\nWithout your consent you stay anonymous there. You can take it back at any time; the"
    " chat ends then."
)


class Command(BaseCommand):
    help = (
        "Creates the roles, two demo CRM records, the demo page's privacy notice and, once, the "
        "administrator demo-admin, whose password it prints. Gives the shipped attribute mappings "
        "the names of the platform in use; leaves all else that exists as it is. Not for "
        "production."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("setup_roles", stdout=self.stderr)
        sessions.require_pepper()
        for session_id, email, first_name, tier, tickets in VISITORS:
            CrmRecord.objects.get_or_create(
                session_hash=hash_session(session_id=session_id),
                defaults={
                    "email": email,
                    "first_name": first_name,
                    "tier": tier,
                    "previous_tickets": tickets,
                },
            )
        _name_the_targets()
        _publish_the_notice()
        users = get_user_model().objects
        if not users.filter(username=ADMINISTRATOR).exists():
            password = secrets.token_urlsafe(12)
            users.create_superuser(ADMINISTRATOR, password=password)
            self.stdout.write(f"administrator {ADMINISTRATOR}, password {password}")


def _name_the_targets() -> None:
    """Name the shipped mappings' targets as the platform in use does."""
    stored = {mapping.target: mapping for mapping in AttributeMapping.objects.all()}
    names_of_each = zip(*map(_targets, settings.GENESYS_PLATFORMS), strict=True)
    for wanted, names in zip(_targets(settings.GENESYS_PLATFORM), names_of_each, strict=True):
        mapping = next((stored[name] for name in names if name in stored), None)
        if mapping and wanted not in stored:
            mapping.target = wanted
            changes.save_mapping(mapping=mapping, actor="system")


def _targets(platform: str) -> list[str]:
    return [mapping["target"] for mapping in mappings.shipped(platform=platform)]


def _publish_the_notice() -> None:
    """Publish what the demo page shows, once: what its visitors agree to can then be proved."""
    if Notice.objects.filter(version=NOTICE_VERSION).exists():
        return
    draft = NoticeDraft.objects.create(
        version=NOTICE_VERSION,
        language="en",
        text=NOTICE_TEXT,
        purposes=["customer support by chat"],
        controller="Example Ltd, privacy@example.com",
        effective_at=timezone.now(),
    )
    notices.publish(draft=draft, actor="system")
