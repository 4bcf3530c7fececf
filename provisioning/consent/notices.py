"""Privacy notices: what visitors were told, version by version, and never changed afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from audit import log
from provisioning.models import Notice, NoticeContent, NoticeDraft

_CLOCKS_DIFFER = timedelta(minutes=5)  # by less than this, whatever the machine


@dataclass(frozen=True)
class ShownNotice:
    """The published notice that a visitor saw; `sha256` is the hex digest of its text."""

    id: int
    version: str
    language: str
    sha256: str


class UnknownNotice(Exception):
    """Nobody published that version in that language, or it is not in effect yet, or any more."""


class NoNotice(Exception):
    """No notice is in effect."""


class LanguageUnclear(Exception):
    """None of several notices in effect is in the language asked for; `languages` has theirs."""

    def __init__(self, languages: list[str]) -> None:
        super().__init__(", ".join(languages))
        self.languages = languages


class AlreadyPublished(Exception):
    """That version is published in that language, and a notice is never changed."""


def find_notice(*, version: str, language: str) -> ShownNotice:
    """Return the notice that a page names by `version` and, where there are several, `language`.

    Language tags compare without regard to case (RFC 5646 section 2.1.1). Raises UnknownNotice,
    also where only the missing language keeps it from being one certain text.
    """
    notices = _countable().filter(version=version)
    if language:
        notices = notices.filter(language__iexact=language)
    found = list(notices.values_list("id", "version", "language", "sha256")[:2])
    if len(found) != 1:
        raise UnknownNotice
    return ShownNotice(*found[0])


def notice_in_effect(*, language: str) -> Notice:
    """Return the notice to show to a reader of `language`, a BCP 47 tag, or empty.

    Looked up as RFC 4647 section 3.4 does: ``de-AT``, then ``de``, then the only one there is.
    Raises NoNotice or LanguageUnclear.
    """
    notices = Notice.objects.filter(effective_at__lte=timezone.now())
    rows = notices.order_by("effective_at", "id").values_list("language", "id")
    offered = {tag.lower(): (tag, number) for tag, number in rows}  # the newest of each language
    if not offered:
        raise NoNotice
    chosen = next((tag for tag in _ranges(language) if tag in offered), None)
    if chosen is None and len(offered) > 1:
        raise LanguageUnclear(sorted(tag for tag, _ in offered.values()))
    _, number = offered[chosen or next(iter(offered))]
    return Notice.objects.get(pk=number)


def _countable() -> QuerySet[Notice]:
    """Return the notices that consent may be given under now.

    A page that was opened before its notice was superseded still shows the earlier one: for
    NOTICE_GRACE_HOURS it counts. Superseded it is once another of its language is both in effect
    and published.
    """
    now = timezone.now()
    since = now - timedelta(hours=settings.NOTICE_GRACE_HOURS)
    later = Q(effective_at__gt=OuterRef("effective_at")) | Q(
        effective_at=OuterRef("effective_at"), id__gt=OuterRef("id")
    )
    successors = Notice.objects.filter(
        later,
        # Published by a clock that ran ahead of ours: in time for when it is in effect.
        Q(published_at__lte=since) | Q(published_at__gt=now + _CLOCKS_DIFFER),
        language__iexact=OuterRef("language"),
        effective_at__lte=since,
    )
    return Notice.objects.filter(~Exists(successors), effective_at__lte=now)


def _ranges(language: str) -> Iterator[str]:
    """Yield `language` in lower case and what is left as its subtags go, one by one."""
    parts = language.lower().split("-")
    while parts and parts[0]:
        yield "-".join(parts)
        parts.pop()
        if parts and len(parts[-1]) == 1:  # a singleton begins what has gone
            parts.pop()


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
