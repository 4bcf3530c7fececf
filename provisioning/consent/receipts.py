"""Consent receipts: what we hold of one consent, signed, for the visitor to keep.

Shaped on the record structure of ISO/IEC TS 27560:2023 (header, PII processing, party, event),
with its names, and signed as a compact JWS (RFC 7515); docs/receipts.md shows how to verify one
without us.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from audit import log
from audit.sealing import receipt_keys
from provisioning.models import ConsentBasis, GuestCreation, Notice, Status

SCHEMA_VERSION = "ISO/IEC TS 27560:2023; guestportal 2"
_STATES = {
    (True, ConsentBasis.STATED.value): "given",
    # Nobody said yes: that is no consent (GDPR recital 32), whatever was sent.
    (True, ConsentBasis.ASSUMED.value): "unknown",
}
# Whether the platform was told of the visitor, by the status of the creation.
_SENT = {
    Status.QUEUED.value: "no",
    Status.PENDING.value: "possibly",
    Status.UNKNOWN.value: "possibly",
}


class ReceiptNotFound(Exception):
    """This session has no such guest."""


@dataclass(frozen=True)
class Receipt:
    """A receipt's `content`, and the same signed: a compact JWS."""

    content: dict[str, Any]
    signed: str

    def as_json(self) -> dict[str, str]:
        """Return the document that is handed out."""
        return {"receipt": self.signed}


def receipt_for_guest(*, session_hash: str, guest_id: str) -> Receipt:
    """Return the receipt of the consent under which this very session got `guest_id`.

    Raises ReceiptNotFound or SigningKeyMissing.
    """
    rows = GuestCreation.objects.filter(session_hash=session_hash, guest_id=guest_id)
    creation = rows.select_related("notice").first()
    if creation is None:
        raise ReceiptNotFound
    return make_receipt(creation=creation)


def receipt_for_staff(*, creation: GuestCreation, actor: str) -> Receipt:
    """Return the receipt of `creation`, and record that `actor` took it.

    Raises SigningKeyMissing.
    """
    made = make_receipt(creation=creation)
    with transaction.atomic():
        log.record(
            kind="receipt.exported",
            subject=log.pseudonym(session_hash=creation.session_hash),
            actor=actor,
            data={"creation": str(creation.id)},
        )
    return made


def make_receipt(*, creation: GuestCreation) -> Receipt:
    """Return the signed receipt of `creation`. Raises SigningKeyMissing."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "iat": int(datetime.now(UTC).timestamp()),  # RFC 7519: a later one may tell of a withdrawal
        "record_id": str(creation.id),
        "pii_principal_id": log.pseudonym(session_hash=creation.session_hash),
        "pii_processing": _processing(creation),
        "party_identification": _parties(creation.notice),
        "events": _events(creation),
    }
    return Receipt(content, receipt_keys.sign(content=content))


def sent(*, creation: GuestCreation) -> str:
    """Return whether the visitor's data went to the platform: ``yes``, ``no`` or ``possibly``."""
    if creation.status != Status.FAILED:
        return _SENT.get(creation.status, "yes")
    # Rows of earlier releases name what was prepared; without an answer nothing had left.
    return "yes" if creation.sent_fields and creation.platform_status else "no"


def _processing(creation: GuestCreation) -> dict[str, Any]:
    notice = creation.notice
    # Where nobody published such a notice, what the page said of it.
    named = notice or Notice(
        version=creation.notice_version, language=creation.language, purposes=[]
    )
    left = sent(creation=creation)
    return {
        "privacy_notice": {
            "version": named.version,
            "language": named.language,
            "sha256": named.sha256,
            "known": notice is not None,
            "text": named.text,
        },
        "purposes": [{"purpose": purpose, "lawful_basis": "consent"} for purpose in named.purposes],
        # Names of what went to the platform; never the values.
        "pii_information": [] if left == "no" else list(creation.sent_fields),
        "pii_controllers": [notice.controller] if notice else [],
        "collection_method": settings.RECEIPT_COLLECTION_METHOD,
        "storage_locations": list(settings.RECEIPT_STORAGE_LOCATIONS),
        "retention_period": _retention(),
        "recipient_third_parties": [] if left == "no" else ["Genesys Cloud"],
        "outcome": {"status": creation.status, "sent": left},
        "withdrawal_method": "POST /api/webchat/consent/withdraw",
        "global_privacy_control": creation.gpc,
    }


def _retention() -> str:
    """Return for how long the record is kept: an ISO 8601 duration, or until when."""
    days = settings.RETENTION_DAYS
    return f"P{days}D" if days else "until the person asks for erasure"


def _parties(notice: Notice | None) -> list[dict[str, str]]:
    if notice is None:
        return []
    return [{"party_role": "pii_controller", "party_contact": notice.controller}]


def _events(creation: GuestCreation) -> list[dict[str, str]]:
    """Return the consent's history: what was said, and that it was withdrawn."""
    said = _STATES.get((creation.consent_given, creation.consent_basis), "refused")
    first = {
        "event_time": log.timestamp(creation.created_at),
        "event_type": creation.consent_type,
        "event_state": said,
        "basis": creation.consent_basis,
    }
    if creation.withdrawn_at is None:
        return [first]
    withdrawn = log.timestamp(creation.withdrawn_at)
    return [first, {"event_time": withdrawn, "event_state": "withdrawn"}]
