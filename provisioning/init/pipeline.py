"""The story of one init.

    session id ─► hash ─► consent, notice ─► profile ─► ledger.open ─► guest ─► token ─► answer

What the ledger records is committed before the next call goes out, so whatever dies on the way, the
row tells how far it got.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.conf import settings

from crm import sessions
from provisioning import ledger
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError, Refused, TimedOut
from provisioning.genesys.gate import Reservation
from provisioning.genesys.platform import GuestRequest, GuestToken, get_platform
from provisioning.init import planning
from provisioning.init.planning import InitRequest, Plan, plan
from provisioning.ledger import Entry, Intent, Opened, Outcome, Step
from provisioning.metrics import timed
from provisioning.models import Status
from provisioning.time_left import time_left


@dataclass(frozen=True)
class GuestAccess:
    """What the page gets: a guest and a token for it. `further` is what its platform adds."""

    guest_id: str
    token: GuestToken
    further: Mapping[str, Any] = field(repr=False)
    crm_attributes: dict[str, Any] = field(repr=False, default_factory=dict)


class ConsentDeclined(Exception):
    """The platform takes no guest without consent, or the consent is gone."""


class GuestNotFound(Exception):
    """This session has no such guest."""


def init(*, request: InitRequest) -> GuestAccess:
    """Turn a browser session into a guest with a token.

    Raises ConsentRequired, NoticeRequired, UnknownNotice, LookupFailed, KeyInUse, KeyMismatch,
    ConsentWithdrawn, ConsentDeclined or PlatformError.
    """
    deadline = Deadline(seconds=time_left() or settings.GENESYS_DEADLINE)
    planned = plan(request=request)
    opened = _open(planned.intent, deadline)
    entry, guest = opened.entry, planned.guest if opened.step is Step.CREATE else None
    reservation = _reserve(entry, guest, deadline)
    if guest:
        entry = create_guest(entry, guest, reservation, deadline)
    return _access(entry, reservation, deadline, _shown(request, planned, opened))


def fresh_token(*, session_id: str, guest_id: str, event_request_id: str) -> GuestAccess:
    """Issue a new token for a guest of this very session.

    Raises GuestNotFound, ConsentWithdrawn or PlatformError.
    """
    deadline = Deadline(seconds=time_left() or settings.GENESYS_DEADLINE)
    session_hash = sessions.hash_session(session_id=session_id)
    entry = ledger.find_guest(
        session_hash=session_hash, guest_id=guest_id, event_request_id=event_request_id
    )
    if entry is None:
        raise GuestNotFound
    reservation = _reserve(entry, None, deadline)
    return _access(entry, reservation, deadline, {})


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


def _reserve(entry: Entry, guest: GuestRequest | None, deadline: Deadline) -> Reservation:
    try:
        return get_platform().reserve(guest=guest, token=True, deadline=deadline)
    except PlatformError as exc:
        _record_failure(entry, exc)
        raise


@timed("guest")
def create_guest(
    entry: Entry,
    guest: GuestRequest,
    reservation: Reservation,
    deadline: Deadline,
    *,
    rests: bool = False,
) -> Entry:
    """Create the guest and record what came of it; `rests`: no token will be asked for now.

    Raises ConsentDeclined or PlatformError.
    """
    try:
        made = get_platform().create_guest(
            guest=guest,
            reservation=reservation,
            deadline=deadline,
            consent_stands=partial(ledger.consent_stands, entry=entry),
        )
    except Refused as exc:
        if guest.consent_given:
            _record_failure(entry, exc)
            raise
        ledger.settle(entry=entry, status=Status.REFUSED, outcome=_outcome(exc))
        raise ConsentDeclined from exc
    except PlatformError as exc:
        _record_failure(entry, exc)
        raise
    consent_stands = ledger.guest_created(
        entry=entry,
        guest_id=made.id,
        echo_given=made.consent_given,
        echo_type=made.consent_type,
        echo_created=made.created_date,
        rests=rests,
    )
    entry = replace(entry, guest_id=made.id)
    if not consent_stands:
        ledger.token_failed(entry=entry, outcome=Outcome("consent_declined"))
        raise ConsentDeclined
    return entry


def _access(
    entry: Entry, reservation: Reservation, deadline: Deadline, shown: dict[str, Any]
) -> GuestAccess:
    token = _issue_token(entry, reservation, deadline)
    further = get_platform().answer(guest_id=entry.guest_id, consent_given=entry.consent_given)
    return GuestAccess(entry.guest_id, token, further, shown)


@timed("token")
def _issue_token(entry: Entry, reservation: Reservation, deadline: Deadline) -> GuestToken:
    try:
        token = get_platform().issue_token(
            guest_id=entry.guest_id,
            generation=entry.token_generation,
            reservation=reservation,
            deadline=deadline,
        )
    except PlatformError as exc:
        _record_failure(entry, exc)
        raise
    ledger.ready(entry=entry, expires_at=token.expires_at)
    return token


def _record_failure(entry: Entry, exc: PlatformError) -> None:
    """Record why there is no token, where there is a guest, or no guest."""
    if entry.guest_id:
        ledger.token_failed(entry=entry, outcome=_outcome(exc))
    else:
        status = Status.UNKNOWN if exc.arrived else Status.FAILED
        ledger.settle(entry=entry, status=status, outcome=_outcome(exc))


def _outcome(exc: PlatformError) -> Outcome:
    return Outcome(exc.code, exc.status, exc.platform_code, exc.correlation_id, exc.sent)


def _shown(request: InitRequest, planned: Plan, opened: Opened) -> dict[str, Any]:
    """Return the answer's CRM attributes: a repeated key's first ones, else today's."""
    profile = planned.profile
    if not planned.intent.consent.given:
        profile = planning.declined_profile(creation_id=opened.entry.id)
    elif request.repeat_key and opened.answer:
        first = request.repeat_key.recall(opened.answer)
        if first is not None:
            return first
    return planning.crm_attributes(profile=profile)
