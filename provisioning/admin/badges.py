"""States as badges: a word each, and a tone that says no more than the word."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from provisioning.models import ConsentBasis, GuestCreation, Reason, Status, Verdict

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
_VERDICT = {Verdict.IN_ORDER: "good", Verdict.FOLLOW_UP: "notice"}
_DOUBTS = {
    Reason.ECHO: ("Yes, platform differs", "bad"),
    Reason.ASSUMED: ("Yes, assumed", "bad"),
    Reason.NOTICE_UNKNOWN: ("Yes, notice unknown", "notice"),
    Reason.NO_NOTICE: ("Yes, no notice", "notice"),
}


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
    basis, reasons = ConsentBasis(creation.consent_basis), creation.reasons
    if not creation.consent_given:
        differs = Reason.ECHO in reasons
        word = "No, platform differs" if differs else f"No, {_BASIS[basis]}"
        return badge(word=word, tone="bad" if differs else "quiet")
    doubts = [_DOUBTS[doubt] for doubt in _DOUBTS if doubt in reasons]
    word, tone = doubts[0] if doubts else (f"Yes, {_BASIS[basis]}", "good")
    return badge(word=word, tone=tone)


def why(creation: GuestCreation) -> SafeString:
    """Return why it waits for review, or did: then in grey."""
    tone = "quiet" if creation.reviewed_at else "notice"
    found = [(badge(word=str(reason.label), tone=tone),) for reason in creation.reasons]
    return format_html_join(" ", "{}", found) if found else SafeString("–")


def verdict(value: str) -> SafeString:
    """Return a review's verdict."""
    found = Verdict(value)
    return badge(word=str(found.label), tone=_VERDICT[found])
