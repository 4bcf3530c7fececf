"""Rows for tests, each with defaults that read well."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.core.management import call_command

from crm.models import CrmRecord
from crm.sessions import hash_session
from tests.webchat import SESSION


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
