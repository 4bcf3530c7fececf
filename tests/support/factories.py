"""Rows for tests, each with defaults that read well."""

from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit import log
from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.models import GuestCreation
from tests.support.webchat import SESSION

_numbers = count(1)
_SENT = ("name", "email", "consentGiven", "consentType", "attributes.crmTier")


def crm_record(session_id: str = SESSION, **fields: Any) -> CrmRecord:
    """Store what the CRM knows of a session."""
    defaults = {
        "email": "jane.doe@example.com",
        "first_name": "Jane",
        "tier": "Enterprise",
        "previous_tickets": 12,
    }
    key = hash_session(session_id=session_id)
    return CrmRecord.objects.create(session_hash=key, **defaults | fields)


def staff(role: str = "", **fields: Any) -> AbstractBaseUser:
    """Make a member of staff with one of the contract's roles; without one, a superuser."""
    users = get_user_model().objects
    if not role:
        return users.create_superuser("root", password="secret", **fields)
    call_command("setup_roles", verbosity=0)
    user = users.create_user(role.split()[0].lower(), is_staff=True, password="secret", **fields)
    user.groups.add(Group.objects.get(name=role))
    return user


def row_counts() -> dict[str, int]:
    """Count the rows of every table there is."""
    counts = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts[table] = cursor.fetchone()[0]
    return counts


def sign_in(client: Client, name: str, password: str = "secret", **more: Any) -> Any:
    """Send the sign-in form as a browser does."""
    form = urlencode({"username": name, "password": password, **more})
    return client.post("/admin/login/", form, content_type="application/x-www-form-urlencoded")


def signed_in(role: str = "") -> Client:
    """Return a browser in which somebody with this role is signed in, as `staff` makes them."""
    client = Client()
    client.force_login(staff(role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def creation(*, session_id: str = "", **fields: Any) -> GuestCreation:
    """Make a ready creation of a stated consent, with its first event."""
    number = next(_numbers)
    key = hash_session(session_id=session_id or f"session-{number}")
    wanted = {
        "id": uuid7(),
        "created_at": timezone.now(),
        "session_hash": key,
        "request_id": f"request-{number}",
        "event_request_id": uuid4(),
        "status": "ready",
        "guest_id": f"guest-{number}",
        "consent_given": True,
        "consent_type": "explicit",
        "consent_basis": "stated",
        "salt": "00" * 16,
        "payload_digest": sha256(str(number).encode()).hexdigest(),
        "sent_fields": list(_SENT),
        **fields,
    }
    with transaction.atomic():
        row = GuestCreation.objects.create(**wanted)
        log.record(
            kind="init.attempted",
            subject=log.pseudonym(session_hash=key),
            actor="visitor",
            request_id=row.request_in_events,
            data={"creation": str(row.id)},
        )
    return row
