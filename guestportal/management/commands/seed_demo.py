"""Make what a first look needs: roles, three CRM records, an administrator."""

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

from crm import keying
from crm.models import CrmRecord
from crm.sessions import hash_session

VISITORS = (
    ("demo-session-jane", "jane.doe@example.com", "Jane", "Enterprise", 12),
    ("demo-session-john", "john.smith@example.com", "John", "Standard", 3),
)
ADMINISTRATOR = "demo-admin"


class Command(BaseCommand):
    help = (
        "Creates the roles, two demo CRM records and, once, the administrator demo-admin, whose "
        "password it prints. Leaves what exists as it is; not for production."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("setup_roles", stdout=self.stderr)
        keying.require()
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
        users = get_user_model().objects
        if not users.filter(username=ADMINISTRATOR).exists():
            password = secrets.token_urlsafe(12)
            users.create_superuser(ADMINISTRATOR, password=password)
            self.stdout.write(f"administrator {ADMINISTRATOR}, password {password}")
