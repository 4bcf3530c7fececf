"""What waits for somebody's work, and for how long: each a look-up in an index of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from audit import verify
from backoffice.lists import as_counted, count
from provisioning import reviews
from provisioning.models import Notice, NoticeDraft, PlatformDeletion

VERIFIED_WITHIN = timedelta(days=1)
May = Callable[[str], bool]  # "app.codename": whether somebody has this permission


@dataclass(frozen=True)
class Task:
    """One kind of work: what is called for, where, and what is known of it; `bad` is no routine."""

    name: str
    url: str
    said: str = ""
    bad: bool = False


def tasks(*, may: May) -> list[Task]:
    """Return what waits for somebody who `may` these permissions: what they can do about it."""
    return [task for permission, find in _KINDS if may(permission) for task in find(may)]


def for_reviewers() -> list[Task]:
    """Return what waits for whoever reviews, as their first page says it."""
    return tasks(may=[permission for permission, _ in _KINDS].__contains__)


def concerns(*, may: May) -> bool:
    """Tell whether anything of this kind ever waits for somebody who `may` these permissions."""
    return any(may(permission) for permission, _ in _KINDS)


def _reviews(may: May) -> Iterator[Task]:
    creations = reverse("admin:provisioning_guestcreation_changelist")
    yield from _counted("To review", f"{creations}?tab=queue", reviews.waiting(), "created_at")
    follow_ups = reviews.to_follow_up()
    yield from _counted("Needs follow-up", f"{creations}?tab=followup", follow_ups, "created_at")


def _deletions(may: May) -> Iterator[Task]:
    # What has a next step is the platform's or housekeeping's; the rest is for a person.
    rows = PlatformDeletion.objects.filter(due_at=None).order_by("-requested_at")
    for name, state in (
        ("To delete on the platform", PlatformDeletion.State.WAITING),
        ("Deletions that failed on the platform", PlatformDeletion.State.ERROR),
    ):
        url = reverse("admin:provisioning_platformdeletion_changelist")
        of_state = f"{url}?state__exact={state.value}"
        yield from _counted(name, of_state, rows.filter(state=state), "requested_at")


def _drafts(may: May) -> Iterator[Task]:
    found = count(NoticeDraft.objects.all())
    if not found:
        return
    overdue = NoticeDraft.objects.filter(effective_at__lte=timezone.now()).order_by("effective_at")
    since = overdue.values_list("effective_at", flat=True).first()
    said = f"the oldest should have been in effect for {_age(since)}" if since else ""
    url = reverse("admin:provisioning_noticedraft_changelist")
    yield Task(f"Notice drafts never published: {as_counted(found)}", url, said)


def _notices(may: May) -> Iterator[Task]:
    if not Notice.objects.filter(effective_at__lte=timezone.now()).exists():
        said = "nobody can tell what visitors consent to: write one, and publish it"
        url = reverse("admin:provisioning_noticedraft_add")
        yield Task("No privacy notice is in effect", url, said, bad=True)


def _verifications(may: May) -> Iterator[Task]:
    url = f"{reverse('admin:audit_auditevent_changelist')}?kind={verify.VERIFIED}"
    if may("audit.verify_log"):
        url = reverse("admin:audit_verify")
    last = verify.last()
    if last is None:
        yield Task("The audit log was never verified", url)
    elif not last.verified:
        said = f"{_age(last.time)} ago: it is not as it was written"
        yield Task("The audit log did not verify", url, said, bad=True)
    elif timezone.now() - last.time > VERIFIED_WITHIN:
        yield Task("Verify the audit log again", url, f"the last time was {_age(last.time)} ago")


def _counted(name: str, url: str, rows: QuerySet[Any], since: str) -> Iterator[Task]:
    """Yield the task to work off `rows`, which come the newest first."""
    found = count(rows)
    if found:
        oldest = rows.reverse().values_list(since, flat=True).first()
        yield Task(f"{name}: {as_counted(found)}", url, f"the oldest for {_age(oldest)}")


def _age(since: Any) -> str:
    return timesince(since, depth=1)


_KINDS: tuple[tuple[str, Callable[[May], Iterator[Task]]], ...] = (
    ("provisioning.add_review", _reviews),
    ("provisioning.change_platformdeletion", _deletions),
    ("provisioning.publish_notice", _drafts),
    ("provisioning.add_noticedraft", _notices),
    ("audit.view_auditevent", _verifications),
)
