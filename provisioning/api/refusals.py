"""Every refusal a webchat call can end with: exception → status, code, sentence.

The one place where the domain's exceptions meet HTTP (contract, section 3, *Errors*). Nothing of
the platform's own words is passed on.
"""

from rest_framework.exceptions import APIException, ValidationError

from crm.profiles import LookupFailed
from provisioning import ledger
from provisioning.api.requests import IdentityRequired
from provisioning.consent.decision import ConsentRequired, NoticeRequired
from provisioning.consent.notices import LanguageUnclear, NoNotice, UnknownNotice
from provisioning.consent.receipts import ReceiptNotFound
from provisioning.genesys import errors
from provisioning.init.in_flight import Overloaded
from provisioning.init.pipeline import ConsentDeclined, GuestNotFound

DEFAULT_RETRY_SECONDS = 2

# The first row whose exception matches decides: a subclass stands before its parent.
_REFUSALS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (IdentityRequired, 403, "identity_required", "sessionSignature is missing or wrong."),
    (ConsentDeclined, 403, "consent_declined", "The chat is not available without consent."),
    (ledger.ConsentWithdrawn, 403, "consent_declined", "Consent for this chat was withdrawn."),
    (GuestNotFound, 404, "not_found", "This session has no such guest."),
    (ReceiptNotFound, 404, "not_found", "This session has no such guest."),
    (NoNotice, 404, "not_found", "No privacy notice is in effect."),
    (ledger.KeyInUse, 409, "in_progress", "The same request is being worked on."),
    (ledger.KeyMismatch, 422, "idempotency_mismatch", "That Idempotency-Key had another body."),
    (LookupFailed, 503, "storage_unavailable", "Visitor data cannot be looked up right now."),
    (Overloaded, 503, "overloaded", "Too many chats are starting at once."),
    (errors.Rejected, 502, "platform_rejected", "The chat platform rejected the request."),
    (errors.Credentials, 502, "platform_credentials", "The chat platform does not accept us."),
    (errors.Protocol, 502, "platform_protocol", "The chat platform gave no usable answer."),
    (errors.Busy, 503, "platform_busy", "The chat platform is busy."),
    (errors.TimedOut, 504, "platform_timeout", "The chat platform did not answer in time."),
    (errors.PlatformError, 503, "platform_unavailable", "The chat platform is unavailable."),
)


class Refusal(APIException):
    """An answer other than 200, as the API's error handler words it."""

    def __init__(self, *, status: int, code: str, sentence: str, wait: float | None) -> None:
        super().__init__(sentence)
        self.status_code = status
        self.default_code = code
        self.wait = wait


def refusal(*, exc: Exception) -> Exception:
    """Return the refusal that `exc` comes to; anything but the pipeline's is a bug, and itself."""
    if isinstance(exc, ConsentRequired):
        return ValidationError({"consentGiven": ["consentGiven is required: true or false."]})
    if isinstance(exc, UnknownNotice):
        sentence = "noticeVersion names no notice in effect in that language."
        return ValidationError({"noticeVersion": [sentence]})
    if isinstance(exc, NoticeRequired):
        sentence = "noticeVersion is required where consent is given."
        return ValidationError({"noticeVersion": [sentence]})
    if isinstance(exc, LanguageUnclear):
        sentence = f"language must be one of: {', '.join(exc.languages)}."
        return ValidationError({"language": [sentence]})
    for kind, status, code, sentence in _REFUSALS:
        if isinstance(exc, kind):
            wait = getattr(exc, "retry_after", None) or DEFAULT_RETRY_SECONDS
            return Refusal(
                status=status, code=code, sentence=sentence, wait=wait if status == 503 else None
            )
    return exc


def refusal_rows(*, exceptions: tuple[type[Exception], ...]) -> list[tuple[int, str, str]]:
    """Return (status, code, sentence) of `exceptions`, subclasses too, for the description."""
    return [row[1:] for row in _REFUSALS if issubclass(row[0], exceptions)]
