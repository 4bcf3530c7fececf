"""What to do for one visitor, decided before anything is written or sent."""

from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from uuid_utils.compat import uuid7

from crm import profiles, sessions
from crm.profiles import Profile
from provisioning.consent import decision
from provisioning.consent.decision import Consent
from provisioning.consent.notices import ShownNotice, UnknownNotice, find_notice
from provisioning.genesys.guests import GuestRequest
from provisioning.init import payload
from provisioning.init.idempotency import RepeatKey
from provisioning.ledger import Intent
from provisioning.ledger.withdrawal import is_withdrawn
from provisioning.metrics import timed


@dataclass(frozen=True)
class InitRequest:
    """One visitor's request, validated. `consent_given` None: nothing was said."""

    session_id: str = field(repr=False)
    request_id: str
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

    Raises ConsentRequired, UnknownNotice or LookupFailed.
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
        consent=consent,
        notice_version=request.notice_version,
        language=request.language,
        notice=notice,
        gpc=request.gpc,
        sending=payload.sending(guest=guest),
        key_hash=key.key_hash if key else "",
        body_hash=key.body_hash if key else "",
        answer=key.seal(payload.crm_attributes(profile=profile)) if key else "",
    )
    return Plan(profile, guest, intent)


def plan_guest(
    *, consent: Consent, session_hash: str, creation_id: UUID
) -> tuple[Profile, GuestRequest]:
    """Return who the visitor is to us, and the guest to ask for. Raises LookupFailed."""
    if consent.given:
        profile = profiles.find_profile(session_hash=session_hash)
    else:
        profile = payload.declined_profile(creation_id=creation_id)
    return profile, payload.guest_request(
        profile=profile, given=consent.given, consent_type=consent.type
    )


def _notice(request: InitRequest) -> ShownNotice | None:
    """Return the notice the visitor saw; None without one, and outside strict mode if unknown."""
    if not request.notice_version:
        return None
    try:
        return find_notice(version=request.notice_version, language=request.language)
    except UnknownNotice:
        if settings.CONSENT_MODE == "strict":
            raise
        return None
