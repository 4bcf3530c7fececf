"""What leaves the house for one visitor, and what the visitor is shown of it.

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

_FIELDS = {
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


def crm_attributes(*, profile: Profile) -> dict[str, Any]:
    """Return the ``crmAttributes`` of the answer, in the contract's order."""
    return {
        name: getattr(profile, field)
        for name, field in _FIELDS.items()
        if name in settings.CRM_RESPONSE_FIELDS
    }


def sent_fields(*, guest: GuestRequest) -> list[str]:
    """Return the names of all that is sent."""
    payload = guest.payload()
    attributes = payload.pop("attributes")
    return [*payload, *(f"attributes.{name}" for name in attributes)]


def reuse_basis(*, guest: GuestRequest) -> bytes:
    """Return what must be equal for an earlier guest to serve: all sent but a declined name."""
    sent = guest.payload()
    if not guest.consent_given:
        del sent["email"]
    return canonical(sent)


def canonical(value: Any) -> bytes:
    """Return `value` as canonical JSON bytes, for a digest."""
    return log.canonical(value).encode()
