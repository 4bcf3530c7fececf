"""What the columns of a creation may say, and why a reviewer is asked to look at one."""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_

from django.db import models
from django.db.models import Q


class Status(models.TextChoices):
    """How far a creation got. Consent is another matter: see the consent columns."""

    QUEUED = "queued", "Queued"
    PENDING = "pending", "Pending"
    GUEST_CREATED = "guest_created", "Guest created, no token yet"
    READY = "ready", "Ready"
    REFUSED = "refused", "Refused: the platform takes no declined guest"
    FAILED = "failed", "Failed: certainly no guest"
    UNKNOWN = "unknown", "Unknown: a guest may exist"


class ConsentType(models.TextChoices):
    EXPLICIT = "explicit", "Explicit"
    IMPLICIT = "implicit", "Implicit"


class ConsentBasis(models.TextChoices):
    """Where the consent value comes from."""

    STATED = "stated", "Stated by the visitor"
    ASSUMED = "assumed", "Assumed: nothing was said (compat)"
    OMITTED = "omitted", "Omitted, so declined (minimise)"
    WITHDRAWN = "withdrawn", "Withdrawn before, so declined"


class Verdict(models.TextChoices):
    """What a reviewer found."""

    IN_ORDER = "in_order", "In order"
    FOLLOW_UP = "follow_up", "Needs follow-up"


class Reason(models.TextChoices):
    """Why a creation waits for review. No word is part of another: they are searched for."""

    ASSUMED = "consent-assumed", "Consent assumed"
    OUTCOME = "outcome-unknown", "Outcome unknown"
    ECHO = "echo-differs", "Platform repeats another consent"
    NOTICE_UNKNOWN = "notice-unknown", "Notice unknown"
    NO_NOTICE = "no-notice", "No notice"


# What tells the same of a row that the release before this one wrote, without its reasons.
_COLUMNS: dict[Reason, tuple[str, object]] = {
    Reason.ASSUMED: ("consent_basis", ConsentBasis.ASSUMED),
    Reason.OUTCOME: ("status", Status.UNKNOWN),
    Reason.ECHO: ("echo_mismatch", True),
}
_UNREVIEWED = Q(reviewed_at=None)


def stored(reasons: Iterable[Reason]) -> str:
    """Return `reasons` as their column holds them: words in the order above, parted by blanks."""
    given = set(reasons)
    return " ".join(reason.value for reason in Reason if reason in given)


def reasons_of(row: Mapping[str, object]) -> list[Reason]:
    """Return why the creation of these columns is or was to be reviewed."""
    words = str(row["review_reasons"]).split()
    return [reason for reason in Reason if reason in words or _says(row, reason)]


def has_reason(reason: Reason) -> Q:
    """Return the condition of a creation that is or was to be reviewed for `reason`."""
    written = Q(review_reasons__contains=reason)
    return written | Q(_COLUMNS[reason]) if reason in _COLUMNS else written


def waits_for(reason: Reason) -> Q:
    """Return the condition of a creation that waits for review, for `reason` among others."""
    return has_reason(reason) & _UNREVIEWED


# What a reviewer is asked to look at, until one has.
TO_REVIEW = reduce(or_, map(Q, _COLUMNS.values()), Q(review_reasons__gt="")) & _UNREVIEWED


def _says(row: Mapping[str, object], reason: Reason) -> bool:
    column, value = _COLUMNS.get(reason, ("", None))
    return bool(column) and row[column] == value
