"""What a person's page shows: consent now, creations, CRM records, holds, deletions, events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString

from audit import log
from audit.admin.sentences import sentences
from audit.models import AuditEvent, SubjectSalt
from backoffice.inert import mask, mask_address, visible
from backoffice.lists import count
from crm.models import CrmRecord
from provisioning.admin import badges
from provisioning.models import (
    GuestCreation,
    LegalHold,
    PlatformDeletion,
    Withdrawal,
    WithdrawalCase,
)

_SESSIONS, _ROWS = 20, 50


@dataclass(frozen=True)
class State:
    """What holds of a session now; `withdrawal` where it was taken back; the `cases` of staff."""

    key: str
    consent: SafeString
    latest: GuestCreation | None
    withdrawal: Withdrawal | None
    cases: list[WithdrawalCase]


def of(*, request: HttpRequest, sessions: Sequence[str]) -> dict[str, Any]:
    """Return what is known of these sessions; values of the CRM are masked."""
    creations = GuestCreation.objects.filter(session_hash__in=sessions).select_related("notice")
    records = CrmRecord.objects.filter(session_hash__in=sessions)
    deletions = PlatformDeletion.objects.filter(creation__session_hash__in=sessions)
    may_read_log = request.user.has_perm("audit.view_auditevent")
    return {
        "sessions": len(sessions),
        "states": [_state(key) for key in sessions[:_SESSIONS]],
        "counted": count(creations),
        "creations": [_row(each) for each in creations.order_by("-id")[:_ROWS]],
        "records": [_masked(record) for record in records[:_SESSIONS]],
        "holds": LegalHold.objects.filter(session_hash__in=sessions)[:_SESSIONS],
        "deletions": deletions.order_by("-requested_at")[:_SESSIONS],
        "may_read_log": may_read_log,
        "events": _events(sessions) if may_read_log else [],
    }


def _state(key: str) -> State:
    latest = GuestCreation.objects.filter(session_hash=key).order_by("-id").first()
    withdrawal = Withdrawal.objects.filter(session_hash=key).first()
    if withdrawal:
        consent = badges.badge(word="Withdrawn", tone="notice")
    elif latest:
        consent = badges.consent(latest)
    else:
        consent = badges.badge(word="None on record", tone="quiet")
    cases = WithdrawalCase.objects.filter(session_hash=key).order_by("-withdrawn_at")
    return State(key, consent, latest, withdrawal, list(cases[:_SESSIONS]))


def _row(creation: GuestCreation) -> dict[str, Any]:
    return {
        "creation": creation,
        "status": badges.status(creation),
        "consent": badges.consent(creation),
        "why": badges.why(creation),
        "verdict": badges.verdict(creation.verdict) if creation.verdict else "–",
        "notice": visible(f"{creation.notice_version} {creation.language}".strip() or "–"),
    }


def _masked(record: CrmRecord) -> dict[str, Any]:
    return {
        "name": str(record),
        "email": mask_address(record.email),
        "first_name": mask(record.first_name) or "–",
        "tier": visible(record.tier) or "–",
        "tickets": record.previous_tickets,
        "further": visible(", ".join(sorted(record.attributes)) or "–"),
    }


def _events(sessions: Sequence[str]) -> list[tuple[AuditEvent, str]]:
    """Return the latest events about the person, each with its sentence."""
    salts = SubjectSalt.objects.filter(session_hash__in=sessions)
    subjects = [
        log.salted(salt=bytes(salt), session_hash=key)
        for key, salt in salts.values_list("session_hash", "salt")
    ]
    rows = list(AuditEvent.objects.filter(subject__in=subjects).order_by("-id")[:_ROWS])
    return list(zip(rows, sentences(events=rows), strict=True))
