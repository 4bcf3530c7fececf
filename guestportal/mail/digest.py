"""The daily mail to reviewers: what waits for them, as counts and ages, with a link to each list.

Sent once a day, however many machines run: who writes the day's row sends. What is known to have
failed gives the row back, for a later round; what may have arrived is never sent again.
"""

import logging
from collections.abc import Sequence
from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone

from guestportal.desk.waiting import Task, for_reviewers
from guestportal.mail.delivery import NotDelivered, deliver
from guestportal.models import DigestMail
from guestportal.staff import staff_address

FROM_HOUR = 6  # of TIME_ZONE: on their desks when reviewers come
KEPT = timedelta(days=30)
logger = logging.getLogger(__name__)


def send_digest() -> bool:
    """Send today's mail where it is due, nobody has sent it, and something waits.

    Returns whether one was sent. Raises NotDelivered where the server did not take it.
    """
    if not (settings.DIGEST_TO and settings.EMAIL_URL and settings.EMAIL_FROM):
        return False
    with timezone.override(settings.STAFF_TIME_ZONE):
        now = timezone.localtime()
    today = now.date()
    if now.hour < FROM_HOUR or DigestMail.objects.filter(day=today).exists():
        return False
    waiting = for_reviewers()
    if not _take_up(today) or not waiting:  # the row stays: the day is done
        return False
    try:
        deliver(subject=_subject(waiting), text=_text(waiting), to=settings.DIGEST_TO)
    except NotDelivered as exc:
        if not exc.may_have_arrived:
            DigestMail.objects.filter(day=today, sent_at=None).delete()
        raise
    DigestMail.objects.filter(day=today).update(sent_at=timezone.now())
    logger.info("daily mail sent", extra={"waiting": len(waiting)})
    return True


def _take_up(today: date) -> bool:
    """Write the day's row; return False where somebody was faster."""
    DigestMail.objects.filter(day__lt=today - KEPT).delete()
    _, made = DigestMail.objects.get_or_create(day=today)
    return made


def _subject(waiting: Sequence[Task]) -> str:
    return f"guestportal: {len(waiting)} {'thing waits' if len(waiting) == 1 else 'things wait'}"


def _text(waiting: Sequence[Task]) -> str:
    base = staff_address()
    lines = ["What waits for reviewers:", ""]
    for task in waiting:
        lines.append(f"- {task.name}{f' ({task.said})' if task.said else ''}")
        lines += [f"  {base}{task.url}"] if base else []
    lines += ["", "Sent once a day, and not where nothing waits. Ages count from that moment."]
    return "\n".join(lines).replace("\xa0", " ") + "\n"  # which Django puts into ages
