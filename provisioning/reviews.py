"""Reviews: what a reviewer found of creations, recorded beside them and never in them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import log, staff
from provisioning import ledger
from provisioning.models import TO_REVIEW, GuestCreation, Review, Verdict


def waiting() -> QuerySet[GuestCreation]:
    """Return the creations a reviewer is asked to look at and none has, newest first."""
    return GuestCreation.objects.filter(TO_REVIEW).order_by("-id")


def to_follow_up() -> QuerySet[GuestCreation]:
    """Return the creations whose latest review asks for a follow-up, newest first."""
    return GuestCreation.objects.filter(verdict=Verdict.FOLLOW_UP).order_by("-id")


def review(*, creations: Sequence[UUID], reviewer: User, verdict: str, reason: str) -> int:
    """Record one review for each of `creations`, each with its event; return how many.

    `verdict` is a Verdict, `reason` the reviewer's words (1 to 500 characters). The words
    stay in the review: an event, which is kept for good, says the verdict alone. A creation that
    the same reviewer gave the same verdict within a minute is left out, so that a form sent twice
    is one review; unless something new put it back on the queue meanwhile.
    """
    now = timezone.now()
    with transaction.atomic():
        repeated = Review.objects.filter(
            creation__in=creations,
            creation__reviewed_at__isnull=False,
            reviewer=reviewer,
            verdict=verdict,
            reviewed_at__range=(now - timedelta(minutes=1), now + timedelta(minutes=1)),
        ).values_list("creation_id", flat=True)
        left_out = set(repeated)
        chosen = GuestCreation.objects.filter(id__in=creations).exclude(id__in=left_out)
        # Locked in the order of ids: two reviewers of the same rows wait for one another.
        rows = list(chosen.only("session_hash").select_for_update(no_key=True).order_by("id"))
        Review.objects.bulk_create(
            Review(creation=row, reviewer=reviewer, reviewed_at=now, verdict=verdict, reason=reason)
            for row in rows
        )
        ledger.mark_reviewed(
            creations=[row.id for row in rows], at=now, verdict=verdict, reviewer_id=reviewer.pk
        )
        for row in rows:
            log.record(
                kind="record.reviewed",
                subject=log.pseudonym(session_hash=row.session_hash),
                actor=staff.name(reviewer),
                data={"creation": str(row.id), "verdict": verdict},
            )
    return len(rows)
