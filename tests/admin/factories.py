"""Rows for tests, with defaults that read well. The pipeline's own writers make them in earnest."""

from hashlib import sha256
from io import StringIO
from itertools import count
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit import log
from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.models import GuestCreation

_numbers = count(1)
SENT = ["name", "email", "consentGiven", "consentType", "attributes.crmTier"]


def creation(*, session_id: str = "", **fields: Any) -> GuestCreation:
    """Make a ready creation of a stated consent, with its first event."""
    number = next(_numbers)
    key = hash_session(session_id=session_id or f"session-{number}")
    wanted = {
        "id": uuid7(),
        "created_at": timezone.now(),
        "session_hash": key,
        "request_id": f"request-{number}",
        "status": "ready",
        "guest_id": f"guest-{number}",
        "consent_given": True,
        "consent_type": "explicit",
        "consent_basis": "stated",
        "salt": "00" * 16,
        "payload_digest": sha256(str(number).encode()).hexdigest(),
        "sent_fields": SENT,
        **fields,
    }
    with transaction.atomic():
        row = GuestCreation.objects.create(**wanted)
        log.record(
            kind="init.attempted",
            subject=log.pseudonym(session_hash=key),
            actor="visitor",
            request_id=row.request_id,
            data={"creation": str(row.id)},
        )
    return row


def record(*, session_id: str = "session-jane", **fields: Any) -> CrmRecord:
    """Make a CRM record."""
    wanted = {"email": "jane.doe@example.com", "first_name": "Jane", "tier": "Gold", **fields}
    return CrmRecord.objects.create(session_hash=hash_session(session_id=session_id), **wanted)


def staff(role: str, *, username: str = "") -> User:
    """Make a member of staff with one of the contract's roles, or ``superuser``, or ``none``."""
    name = username or f"{role.split()[0].lower()}-{next(_numbers)}"
    if role == "superuser":
        return User.objects.create_superuser(name, password="a-good-password")
    user = User.objects.create_user(name, password="a-good-password", is_staff=True)
    if role != "none":
        call_command("setup_roles", stdout=StringIO())
        user.groups.add(Group.objects.get(name=role))
    return user


def signed_in(role: str) -> Client:
    """Return a browser in which somebody with this role is signed in."""
    client = Client()
    client.force_login(staff(role), backend="django.contrib.auth.backends.ModelBackend")
    return client
