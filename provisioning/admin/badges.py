"""States as badges: a word each, and a tone that says no more than the word."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from provisioning.models import ConsentBasis, GuestCreation, Review, Status

_STATUS = {
    Status.QUEUED: ("Queued", "quiet"),
    Status.PENDING: ("Pending", "quiet"),
    Status.GUEST_CREATED: ("No token yet", "notice"),
    Status.READY: ("Ready", "good"),
    Status.REFUSED: ("Refused", "notice"),
    Status.FAILED: ("Failed", "bad"),
    Status.UNKNOWN: ("Unknown outcome", "bad"),
}
_BASIS = {
    ConsentBasis.STATED: "stated",
    ConsentBasis.ASSUMED: "assumed",
    ConsentBasis.OMITTED: "omitted",
    ConsentBasis.WITHDRAWN: "withdrawn before",
}
_VERDICT = {Review.Verdict.IN_ORDER: "good", Review.Verdict.FOLLOW_UP: "notice"}


def badge(*, word: str, tone: str) -> SafeString:
    """Return a badge; `tone` is good, notice, bad or quiet."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, word)


def status(creation: GuestCreation) -> SafeString:
    """Return how far the creation got."""
    word, tone = _STATUS[Status(creation.status)]
    return badge(word=word, tone=tone)


def consent(creation: GuestCreation) -> SafeString:
    """Return what holds now, and what it rests on."""
    if creation.withdrawn_at:
        return badge(word="Yes, withdrawn since", tone="notice")
    basis = ConsentBasis(creation.consent_basis)
    if not creation.consent_given:
        return badge(word=f"No, {_BASIS[basis]}", tone="quiet")
    tone = "bad" if basis == ConsentBasis.ASSUMED else "good"
    return badge(word=f"Yes, {_BASIS[basis]}", tone=tone)


def verdict(value: str) -> SafeString:
    """Return a review's verdict."""
    found = Review.Verdict(value)
    return badge(word=str(found.label), tone=_VERDICT[found])
