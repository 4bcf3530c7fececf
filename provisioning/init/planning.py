"""What to do for one visitor, and what to send, decided before anything is written or sent.

A visitor who declined is nobody: no CRM value and no pseudonym goes out, only the profile of an
unknown session under a name that comes from the creation's own random id.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from uuid_utils.compat import uuid7

from audit import log
from crm import profiles, sessions
from crm.profiles import Profile
from provisioning.consent import decision
from provisioning.consent.decision import Consent
from provisioning.consent.notices import ShownNotice, UnknownNotice, find_notice
from provisioning.genesys.platform import GuestRequest
from provisioning.init.idempotency import RepeatKey
from provisioning.ledger import Intent, Sending
from provisioning.ledger.withdrawal import is_withdrawn
from provisioning.metrics import timed

_SHOWN = {
    "email": "email",
    "firstName": "first_name",
    "tier": "tier",
    "previousTickets": "previous_tickets",
}


@dataclass(frozen=True)
class InitRequest:
    """One visitor's request, validated. `consent_given` None: nothing was said."""

    session_id: str = field(repr=False)
    request_id: str
    event_request_id: str
    consent_given: bool | None = None
    consent_type: str | None = None
    notice_version: str = ""
    language: str = ""
    gpc: bool = False
    repeat_key: RepeatKey | None = None


@dataclass(frozen=True)
class Plan:
    """What one init is about to do: for whom, what to send, what to write first."""

    profile: Profile
    guest: GuestRequest
    intent: Intent


@timed("plan")
def plan(*, request: InitRequest, queued: bool = False) -> Plan:
    """Decide what to do for `request`, before anything is written or sent.

    Raises ConsentRequired, NoticeRequired, UnknownNotice or LookupFailed.
    """
    session_hash = sessions.hash_session(session_id=request.session_id)
    consent = decision.decide(
        stated=request.consent_given,
        consent_type=request.consent_type,
        mode=settings.CONSENT_MODE,
        # What is stated now holds, whatever was withdrawn before: nothing to look up.
        withdrawn=request.consent_given is None and is_withdrawn(session_hash=session_hash),
    )
    notice, key, creation_id = _notice(request), request.repeat_key, uuid7()
    profile, guest = plan_guest(consent=consent, session_hash=session_hash, creation_id=creation_id)
    intent = Intent(
        creation_id=creation_id,
        queued=queued,
        session_hash=session_hash,
        request_id=request.request_id,
        event_request_id=request.event_request_id,
        consent=consent,
        notice_version=request.notice_version,
        language=request.language,
        notice=notice,
        gpc=request.gpc,
        sending=sending(guest=guest),
        key_hash=key.key_hash if key else "",
        body_hash=key.body_hash if key else "",
        answer=key.seal(crm_attributes(profile=profile)) if key else "",
    )
    return Plan(profile, guest, intent)


def plan_guest(
    *, consent: Consent, session_hash: str, creation_id: UUID
) -> tuple[Profile, GuestRequest]:
    """Return who the visitor is to us, and the guest to ask for. Raises LookupFailed."""
    if consent.given:
        profile = profiles.find_profile(session_hash=session_hash)
    else:
        profile = declined_profile(creation_id=creation_id)
    guest = guest_request(
        profile=profile,
        given=consent.given,
        consent_type=consent.type,
        session_hash=session_hash,
    )
    return profile, guest


def declined_profile(*, creation_id: UUID) -> Profile:
    """Return the profile of a visitor who declined: ``visitor_<8 random hex>``."""
    return profiles.unknown_profile(pseudonym=creation_id.hex[-8:])


def guest_request(
    *, profile: Profile, given: bool, consent_type: str, session_hash: str
) -> GuestRequest:
    """Return the guest to ask the platform for, with the attributes that are mapped now."""
    return GuestRequest(
        name=profile.first_name,
        email=profile.email,
        known=profile.known,
        consent_given=given,
        consent_type=consent_type,
        attributes=profiles.guest_attributes(profile=profile),
        session_key=session_hash,
    )


def sending(*, guest: GuestRequest) -> Sending:
    """Return what the ledger keeps of what is about to be sent: bytes for digests, field names."""
    message = guest.message
    payload = log.canonical(message.body).encode()
    basis = payload
    if not guest.consent_given:  # its random name need not be equal for an earlier guest to serve
        named = {name: value for name, value in message.body.items() if name != "email"}
        basis = log.canonical(named).encode()
    return Sending(profile=basis, payload=payload, fields=list(message.fields))


def crm_attributes(*, profile: Profile) -> dict[str, Any]:
    """Return the ``crmAttributes`` of the answer, in the contract's order."""
    return {
        name: getattr(profile, field)
        for name, field in _SHOWN.items()
        if name in settings.CRM_RESPONSE_FIELDS
    }


def _notice(request: InitRequest) -> ShownNotice | None:
    """Return the notice the visitor saw; None without one, and outside strict mode if unknown.

    Raises NoticeRequired or UnknownNotice in strict mode: consent is informed, or none (GDPR
    art. 4(11)). To decline nobody has to have read anything.
    """
    strict = settings.CONSENT_MODE == "strict"
    if not request.notice_version:
        if strict and request.consent_given:
            raise decision.NoticeRequired
        return None
    try:
        return find_notice(version=request.notice_version, language=request.language)
    except UnknownNotice:
        if strict:
            raise
        return None
