"""open_creation(): a new row for this init, or the earlier one that serves it.

Reuse, resume and idempotency are one decision, taken under the session's lock, in this order:

1. the same ``Idempotency-Key`` within 24 hours → its creation, unless that one came to nothing;
2. a guest of the last hour that got no token, under the same consent → mint the token only;
3. within GUEST_REUSE_SECONDS a ready guest of the same consent and the same CRM data → likewise;
4. otherwise a new row, committed before the platform is called.
"""

import enum
import hmac
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from audit import log, restore_list
from audit.restore_list import What
from provisioning.consent.decision import Consent
from provisioning.consent.notices import ShownNotice
from provisioning.ledger import sql
from provisioning.ledger.listing import Ids, ids_of
from provisioning.ledger.sql import History
from provisioning.ledger.transactions import (
    QUEUED_FOR,
    Entry,
    Sending,
    database,
    digest,
    overdue_after,
    run_in_session,
    sent_columns,
    short_transaction,
)
from provisioning.ledger.withdrawal import meet_withdrawal
from provisioning.models import (
    ConsentBasis,
    GuestCreation,
    IdempotencyKey,
    Reason,
    Status,
    Withdrawal,
    stored,
)

RESUME_FOR = timedelta(hours=1)
KEY_FOR = timedelta(hours=24)


class KeyInUse(Exception):
    """The same Idempotency-Key is being worked on."""


class KeyMismatch(Exception):
    """The same Idempotency-Key came with another body."""


class ConsentWithdrawn(Exception):
    """The visitor withdrew the consent that this request would rest on."""


class Step(enum.Enum):
    """What is left to do for an opened creation."""

    CREATE = "create"  # guest and token
    TOKEN = "token"  # noqa: S105  (the token only)
    WAIT = "wait"  # another request of this session is making the guest


@dataclass(frozen=True)
class Intent:
    """What one init is about to do; `queued`: the worker will."""

    creation_id: UUID
    session_hash: str = field(repr=False)
    request_id: str
    event_request_id: str
    consent: Consent
    notice_version: str
    language: str
    gpc: bool
    sending: Sending
    notice: ShownNotice | None = None
    key_hash: str = ""
    body_hash: str = ""
    answer: str = field(default="", repr=False)  # encrypted, for whoever repeats the key
    queued: bool = False


@dataclass(frozen=True)
class Opened:
    """The creation that serves an init. `answer` is the kept answer of a repeated key, if any.

    `restated`: the session whose withdrawal ended with the consent that was stated now.
    """

    entry: Entry
    step: Step
    answer: str = field(default="", repr=False)
    restated: Ids | None = None


def open_creation(*, intent: Intent) -> Opened:
    """Decide which creation serves `intent`, writing a new one where none does.

    Raises KeyInUse, KeyMismatch or ConsentWithdrawn, with nothing written.
    """
    unit = partial(_open, intent)
    try:
        opened = run_in_session(intent.session_hash, unit)
    except IntegrityError:
        # Somebody gave the session its name in the log at the same moment: now it has one.
        opened = run_in_session(intent.session_hash, unit)
    if ids := opened.restated:
        creations = [*ids.creations, opened.entry.id]
        restore_list.append(what=What.RESTATED, creations=creations, record=ids.record)
    return opened


def find_guest(*, session_hash: str, guest_id: str, event_request_id: str) -> Entry | None:
    """Return the creation of `guest_id` if it is this very session's, for events of this request.

    Raises ConsentWithdrawn where the visitor took back the consent it rests on.
    """
    rows = GuestCreation.objects.filter(
        session_hash=session_hash, guest_id=guest_id, platform=settings.GENESYS_PLATFORM
    )
    with short_transaction():
        row = rows.filter(erased_at=None).first()
        if row is None:
            return None
        if row.withdrawn_at:
            raise ConsentWithdrawn
        return Entry.of(row, event_request_id)


def _open(intent: Intent, known: History) -> Opened:
    now = known.now
    key = _find_key(intent)
    if key and _serves(key.creation, now):
        return _repeat(key, intent, now)
    if not known.withdrawn:
        return _serve(intent, known)
    meet_withdrawal(session_hash=intent.session_hash, event_request_id=intent.event_request_id)
    restated = _respect_withdrawal(intent)
    # Which may have a name in the log now.
    opened = _serve(intent, database.look(intent.session_hash))
    return replace(opened, restated=restated)


def _serve(intent: Intent, known: History) -> Opened:
    now = known.now
    latest = GuestCreation.objects.get(id=known.latest) if known.latest else None
    earlier = latest and (_resumable(intent, latest, now) or _reusable(intent, latest, now))
    if earlier is None:
        return Opened(_insert(intent, known.salt, _generation(latest)), Step.CREATE)
    if _in_work(earlier, now):
        return Opened(Entry.of(earlier, intent.event_request_id), Step.WAIT)
    _remember_key(intent, earlier.id)
    return _token_for(earlier, intent)


def _find_key(intent: Intent) -> IdempotencyKey | None:
    if not intent.key_hash:
        return None
    now = timezone.now()
    return (
        IdempotencyKey.objects.select_related("creation")
        .filter(
            session_hash=intent.session_hash,
            key_hash=intent.key_hash,
            created_at__gt=now - KEY_FOR,
            created_at__lt=now + KEY_FOR,
        )
        .first()
    )


def _repeat(key: IdempotencyKey, intent: Intent, now: datetime) -> Opened:
    if key.body_hash != intent.body_hash:
        raise KeyMismatch
    if _in_work(key.creation, now):
        raise KeyInUse
    if key.creation.withdrawn_at:
        # The same request again is not a new statement of consent.
        raise ConsentWithdrawn
    return _token_for(key.creation, intent, key.answer)


def _respect_withdrawal(intent: Intent) -> Ids | None:
    """Let a stated consent end an earlier withdrawal, and nothing else go past one.

    Returns the session's ids where it did.
    """
    if not intent.consent.given:
        return None
    if intent.consent.basis != ConsentBasis.STATED:
        raise ConsentWithdrawn  # between our decision and this transaction
    Withdrawal.objects.filter(session_hash=intent.session_hash).delete()
    return ids_of(session_hash=intent.session_hash)


def _resumable(intent: Intent, latest: GuestCreation, now: datetime) -> GuestCreation | None:
    row = _same_consent(intent, latest, RESUME_FOR)
    if row is None or row.status != Status.GUEST_CREATED or _in_work(row, now):
        return None
    return row if _serves(row, now) else None


def _reusable(intent: Intent, latest: GuestCreation, now: datetime) -> GuestCreation | None:
    if not settings.GUEST_REUSE_SECONDS:
        return None
    within = timedelta(seconds=settings.GUEST_REUSE_SECONDS)
    row = _same_consent(intent, latest, within)
    if row is None or not _serves(row, now):
        return None
    same = hmac.compare_digest(row.profile_digest, digest(row.salt, intent.sending.profile))
    return row if same else None


def _same_consent(intent: Intent, latest: GuestCreation, within: timedelta) -> GuestCreation | None:
    """Return the session's latest creation if it is recent, not withdrawn, of the same consent."""
    # Dated further ahead than behind it may be: by a clock that has been corrected since.
    if abs(timezone.now() - latest.created_at) >= within:
        return None
    if latest.withdrawn_at or latest.erased_at:
        return None
    return latest if _consent_of_row(latest) == _consent_of_intent(intent) else None


def _consent_of_row(row: GuestCreation) -> tuple[object, ...]:
    return row.consent_given, row.consent_type, row.notice_id, row.notice_version


def _consent_of_intent(intent: Intent) -> tuple[object, ...]:
    # Consent under another notice is another consent.
    notice_id = intent.notice.id if intent.notice else None
    return intent.consent.given, intent.consent.type, notice_id, intent.notice_version


def _serves(row: GuestCreation, now: datetime) -> bool:
    """Tell whether a guest came of `row`, or still may: else the next init starts anew."""
    if row.platform_status == 404 or row.platform != settings.GENESYS_PLATFORM:
        return False  # the platform has forgotten the guest, or is another now
    return row.status in (Status.GUEST_CREATED, Status.READY) or _in_work(row, now)


def _in_work(row: GuestCreation, now: datetime) -> bool:
    """Tell what `transactions.in_work` asks the database, of a row and a time that came from it."""
    return row.overdue_at is not None and now < row.overdue_at <= now + QUEUED_FOR


def _token_for(row: GuestCreation, intent: Intent, answer: str = "") -> Opened:
    entry = Entry.of(row, intent.event_request_id)
    log.record(
        kind="guest.reused",
        subject=entry.subject,
        actor="visitor",
        request_id=intent.event_request_id,
        data={"creation": str(row.id), "consent": _consent_data(intent)},
    )
    return Opened(entry, Step.TOKEN, answer)


def _generation(latest: GuestCreation | None) -> int:
    """Return how often the session had taken its consent back."""
    return latest.token_generation + bool(latest.withdrawn_at) if latest else 0


def _insert(intent: Intent, subject_salt: bytes | None, generation: int) -> Entry:
    now, salt, consent = timezone.now(), secrets.token_hex(16), intent.consent
    sent, reasons = sent_columns(salt, intent.sending), _reasons(intent)
    creation = sql.insert(
        columns={
            "id": intent.creation_id,
            "created_at": now,
            "updated_at": now,
            "request_id": intent.request_id,
            "event_request_id": UUID(intent.event_request_id),
            "session_hash": intent.session_hash,
            "platform": settings.GENESYS_PLATFORM,
            "token_generation": generation,
            "status": Status.QUEUED if intent.queued else Status.PENDING,
            "overdue_at": QUEUED_FOR if intent.queued else overdue_after(),
            **_said_columns(intent),
            "review_reasons": stored(reasons),
            "salt": salt,
            **sent,
        }
    )
    naming = subject_salt or log.new_salt()
    subject = log.salted(salt=naming, session_hash=intent.session_hash)
    event = log.event(
        kind="init.attempted",
        subject=subject,
        actor="visitor",
        request_id=intent.event_request_id,
        data={
            "creation": str(intent.creation_id),
            "consent": _consent_data(intent),
            "payloadDigest": sent["payload_digest"],
            "sentFields": sent["sent_fields"],
        },
    )
    named = [] if subject_salt else [(log.ADD_SALT, [intent.session_hash, naming])]
    _remember_key(intent, intent.creation_id)
    database.write([*named, creation, (f"{log.INSERT} VALUES ({log.MARKS})", event)])
    said = consent.given, consent.type, salt, generation
    return Entry(intent.creation_id, subject, intent.event_request_id, *said, reasons=reasons)


def _said_columns(intent: Intent) -> dict[str, object]:
    """Return the columns that say what the visitor said, and under which notice."""
    return {
        "consent_given": intent.consent.given,
        "consent_type": intent.consent.type,
        "consent_basis": intent.consent.basis,
        "notice_version": intent.notice_version,
        "language": intent.language,
        "notice_id": intent.notice.id if intent.notice else None,
        "gpc": intent.gpc,
    }


def _reasons(intent: Intent) -> list[Reason]:
    """Return what a reviewer has to look at already now: what a yes rests on."""
    if not intent.consent.given:
        return []
    assumed = intent.consent.basis == ConsentBasis.ASSUMED
    unknown = bool(intent.notice_version) and intent.notice is None
    missing = not intent.notice_version and settings.REVIEW_MISSING_NOTICE
    doubts = {Reason.ASSUMED: assumed, Reason.NOTICE_UNKNOWN: unknown, Reason.NO_NOTICE: missing}
    return [reason for reason, holds in doubts.items() if holds]


def _remember_key(intent: Intent, creation_id: UUID) -> None:
    if intent.key_hash:
        IdempotencyKey.objects.update_or_create(
            session_hash=intent.session_hash,
            key_hash=intent.key_hash,
            defaults={
                "body_hash": intent.body_hash,
                "creation_id": creation_id,
                "created_at": timezone.now(),
                "answer": intent.answer,
            },
        )


def _consent_data(intent: Intent) -> dict[str, object]:
    consent, notice = intent.consent, intent.notice
    known = notice and {
        "version": notice.version,
        "language": notice.language,
        "sha256": notice.sha256,
    }
    return {
        "given": consent.given,
        "type": consent.type,
        "basis": consent.basis,
        "notice": known,
        # Its name is the client's text, and what stands in the log stands there for good.
        "noticeUnknown": bool(intent.notice_version) and notice is None,
        "gpc": intent.gpc,
    }
