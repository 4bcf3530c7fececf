"""Privacy notices: what visitors were told, version by version, and never changed afterwards."""

from dataclasses import dataclass
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import log
from provisioning.models import Notice, NoticeContent, NoticeDraft


@dataclass(frozen=True)
class ShownNotice:
    """The published notice that a visitor saw; `sha256` is the hex digest of its text."""

    id: int
    version: str
    language: str
    sha256: str


class UnknownNotice(Exception):
    """Nobody published that version in that language, or it is not in effect yet."""


class AlreadyPublished(Exception):
    """That version is published in that language, and a notice is never changed."""


def find_notice(*, version: str, language: str) -> ShownNotice:
    """Return the notice that a page names by `version` and, where there are several, `language`.

    Language tags compare without regard to case (RFC 5646 section 2.1.1). Raises UnknownNotice,
    also where only the missing language keeps it from being one certain text.
    """
    notices = Notice.objects.filter(version=version, effective_at__lte=timezone.now())
    if language:
        notices = notices.filter(language__iexact=language)
    found = list(notices.values_list("id", "version", "language", "sha256")[:2])
    if len(found) != 1:
        raise UnknownNotice
    return ShownNotice(*found[0])


def publish(*, draft: NoticeDraft, actor: str) -> Notice:
    """Turn `draft` into a published notice, with its event; the draft is gone.

    Raises AlreadyPublished, with nothing written.
    """
    content = {field.name: getattr(draft, field.name) for field in NoticeContent._meta.local_fields}
    digest = sha256(draft.text.encode()).hexdigest()
    now = timezone.now()
    try:
        with transaction.atomic():
            same = Notice.objects.filter(version=draft.version, language__iexact=draft.language)
            if same.exists():
                raise AlreadyPublished
            notice = Notice.objects.create(
                **content, sha256=digest, published_at=now, published_by=actor
            )
            draft.delete()
            log.record(kind="notice.published", actor=actor, data=_described(notice))
    except IntegrityError as exc:
        raise AlreadyPublished from exc
    return notice


def _described(notice: Notice) -> dict[str, object]:
    return {
        "version": notice.version,
        "language": notice.language,
        "sha256": notice.sha256,
        "purposes": notice.purposes,
        "controller": notice.controller,
        "effectiveAt": log.timestamp(notice.effective_at),
    }
