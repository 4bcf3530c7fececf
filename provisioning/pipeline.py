"""The story of one init.

    session id ─► hash ─► consent, notice ─► profile ─► ledger.open ─► guest ─► token ─► answer

What the ledger records is committed before the next call leaves the house, so whatever dies on the
way, the row tells how far it got.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from uuid_utils.compat import uuid7

from crm import profiles, sessions
from crm.profiles import Profile
from provisioning import ledger, payload
from provisioning.consent import decision
from provisioning.consent.decision import Consent
from provisioning.consent.notices import ShownNotice, UnknownNotice, find_notice
from provisioning.consent.withdrawal import is_withdrawn
from provisioning.genesys.client import GuestRequest, GuestToken, get_client
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError, Refused, TimedOut
from provisioning.ledger import Entry, Intent, Opened, Outcome, Sending, Step
from provisioning.metrics import timed
from provisioning.models import Status
from provisioning.replay import RepeatKey


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
class GuestAccess:
    """What the page gets: a guest and a token for it."""

    guest_id: str
    token: GuestToken
    crm_attributes: dict[str, Any] = field(repr=False, default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What one init is about to do: for whom, what to send, what to write first."""

    profile: Profile
    guest: GuestRequest
    intent: Intent


class ConsentDeclined(Exception):
    """The platform takes no guest without consent, or the consent is gone."""


class GuestNotFound(Exception):
    """This session has no such guest."""


def init(*, request: InitRequest) -> GuestAccess:
    """Turn a browser session into a guest with a token.

    Raises ConsentRequired, UnknownNotice, LookupFailed, KeyInUse, KeyMismatch, ConsentWithdrawn,
    ConsentDeclined or PlatformError.
    """
    deadline = Deadline(seconds=settings.GENESYS_DEADLINE)
    planned = plan(request=request)
    opened = _open(planned.intent, deadline)
    entry, fresh = opened.entry, opened.step is Step.CREATE
    if fresh:
        entry = create_guest(entry, planned.guest, deadline)
    token = _issue_token(entry, deadline, entered=fresh)
    return GuestAccess(entry.guest_id, token, _shown(request, planned, opened))


def fresh_token(*, session_id: str, guest_id: str, request_id: str) -> GuestAccess:
    """Issue a new token for a guest of this very session.

    Raises GuestNotFound, ConsentWithdrawn or PlatformError.
    """
    deadline = Deadline(seconds=settings.GENESYS_DEADLINE)
    session_hash = sessions.hash_session(session_id=session_id)
    entry = ledger.find_guest(session_hash=session_hash, guest_id=guest_id, request_id=request_id)
    if entry is None:
        raise GuestNotFound
    return GuestAccess(guest_id, _issue_token(entry, deadline, entered=False))


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
    notice = _notice(request)
    creation_id = uuid7()
    profile, guest = plan_guest(consent=consent, session_hash=session_hash, creation_id=creation_id)
    intent = _intent(request, session_hash, creation_id, consent, notice, profile, guest, queued)
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


def _intent(
    request: InitRequest,
    session_hash: str,
    creation_id: UUID,
    consent: Consent,
    notice: ShownNotice | None,
    profile: Profile,
    guest: GuestRequest,
    queued: bool,
) -> Intent:
    key = request.repeat_key
    return Intent(
        creation_id=creation_id,
        queued=queued,
        session_hash=session_hash,
        request_id=request.request_id,
        consent=consent,
        notice_version=request.notice_version,
        language=request.language,
        notice=notice,
        gpc=request.gpc,
        sending=sending(guest=guest),
        key_hash=key.key_hash if key else "",
        body_hash=key.body_hash if key else "",
        answer=key.seal(payload.crm_attributes(profile=profile)) if key else "",
    )


def sending(*, guest: GuestRequest) -> Sending:
    """Return what the ledger keeps of what is about to be sent."""
    return Sending(
        profile=payload.reuse_basis(guest=guest),
        payload=payload.canonical(guest.payload()),
        fields=payload.sent_fields(guest=guest),
    )


@timed("open")
def _open(intent: Intent, deadline: Deadline) -> Opened:
    """Open the creation, waiting while another request of this session makes its guest."""
    pause = 0.05
    while (opened := ledger.open_creation(intent=intent)).step is Step.WAIT:
        try:
            deadline.sleep(pause)
        except TimedOut as exc:
            raise ledger.KeyInUse from exc
        pause = min(0.5, pause * 1.5)
    return opened


@timed("guest")
def create_guest(
    entry: Entry, guest: GuestRequest, deadline: Deadline, *, queued: bool = False
) -> Entry:
    """Create the guest and record what came of it.

    `queued`: the worker was admitted before, and the token is asked for later.

    Raises ConsentDeclined or PlatformError.
    """
    try:
        made = get_client().create_guest(guest=guest, deadline=deadline, admitted=queued)
    except Refused as exc:
        refused = not guest.consent_given
        status = Status.REFUSED if refused else Status.FAILED
        ledger.settle(entry=entry, status=status, outcome=_outcome(exc))
        if refused:
            raise ConsentDeclined from exc
        raise
    except PlatformError as exc:
        status = Status.UNKNOWN if exc.arrived else Status.FAILED
        ledger.settle(entry=entry, status=status, outcome=_outcome(exc))
        raise
    consent_stands = ledger.guest_created(
        entry=entry,
        guest_id=made.id,
        echo_given=made.consent_given,
        echo_type=made.consent_type,
        echo_created=made.created_date,
        rests=queued,
    )
    if not consent_stands:
        ledger.token_failed(entry=entry, outcome=Outcome("consent_declined"))
        raise ConsentDeclined
    return Entry(entry.id, entry.subject, entry.request_id, made.id)


@timed("token")
def _issue_token(entry: Entry, deadline: Deadline, *, entered: bool) -> GuestToken:
    try:
        token = get_client().issue_token(
            guest_id=entry.guest_id, deadline=deadline, entered=entered
        )
    except PlatformError as exc:
        ledger.token_failed(entry=entry, outcome=_outcome(exc))
        raise
    ledger.ready(entry=entry, expires_at=token.expires_at)
    return token


def _outcome(exc: PlatformError) -> Outcome:
    return Outcome(exc.code, exc.status, exc.platform_code, exc.correlation_id)


def _shown(request: InitRequest, planned: Plan, opened: Opened) -> dict[str, Any]:
    """Return the answer's CRM attributes: a repeated key's first ones, else today's."""
    profile = planned.profile
    if not planned.intent.consent.given:
        profile = payload.declined_profile(creation_id=opened.entry.id)
    elif request.repeat_key and opened.answer:
        first = request.repeat_key.recall(opened.answer)
        if first is not None:
            return first
    return payload.crm_attributes(profile=profile)
