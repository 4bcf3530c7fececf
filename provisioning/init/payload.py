"""What is sent for one visitor, and what the visitor is shown of it.

A visitor who declined is nobody: no CRM value and no pseudonym goes out, only the profile of an
unknown session under a name that comes from the creation's own random id.
"""

from typing import Any
from uuid import UUID

from django.conf import settings

from audit import log
from crm import profiles
from crm.profiles import Profile
from provisioning.genesys.guests import GuestRequest
from provisioning.ledger import Sending

_SHOWN = {
    "email": "email",
    "firstName": "first_name",
    "tier": "tier",
    "previousTickets": "previous_tickets",
}
ANONYMOUS_NAME = "Anonymous Visitor"


def declined_profile(*, creation_id: UUID) -> Profile:
    """Return the profile of a visitor who declined: ``visitor_<8 random hex>``."""
    return profiles.unknown_profile(pseudonym=creation_id.hex[-8:])


def guest_request(*, profile: Profile, given: bool, consent_type: str) -> GuestRequest:
    """Return the guest to ask the platform for, with the attributes that are mapped now."""
    return GuestRequest(
        name=profile.first_name or ANONYMOUS_NAME,
        email=profile.email,
        consent_given=given,
        consent_type=consent_type,
        attributes=profiles.guest_attributes(profile=profile),
    )


def sending(*, guest: GuestRequest) -> Sending:
    """Return what the ledger keeps of what is about to be sent: bytes for digests, field names."""
    payload = log.canonical(guest.payload).encode()
    basis = payload
    if not guest.consent_given:  # its random name need not be equal for an earlier guest to serve
        named = {name: value for name, value in guest.payload.items() if name != "email"}
        basis = log.canonical(named).encode()
    fields = [name for name in guest.payload if name != "attributes"]
    fields += [f"attributes.{name}" for name in guest.attributes]
    return Sending(profile=basis, payload=payload, fields=fields)


def crm_attributes(*, profile: Profile) -> dict[str, Any]:
    """Return the ``crmAttributes`` of the answer, in the contract's order."""
    return {
        name: getattr(profile, field)
        for name, field in _SHOWN.items()
        if name in settings.CRM_RESPONSE_FIELDS
    }
