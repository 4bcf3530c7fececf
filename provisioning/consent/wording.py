"""What a notice says: as visitors read it, against the version before, in which language."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from django.conf.locale import LANG_INFO

from provisioning.models import Notice, NoticeContent

# Of languages with several countries, those that a business in Europe is asked for.
_REGIONS = {
    "de": "AT CH DE", "en": "GB IE US", "fr": "BE CA CH FR", "it": "CH IT", "nl": "BE NL",
}  # fmt: skip
_KEPT, _GONE, _NEW = "equal", "delete", "insert"


def languages(*, also: str = "") -> list[tuple[str, str]]:
    """Return language tags with their names in English; `also` is among them, whatever it is."""
    named = {
        _tag(code): f"{info['name']} ({_tag(code)})"
        for code, info in LANG_INFO.items()
        if "name" in info
    }
    for language, regions in _REGIONS.items():
        for region in regions.split():
            tag = f"{language}-{region}"
            named.setdefault(tag, f"{LANG_INFO[language]['name']}, {region} ({tag})")
    if also:
        named.setdefault(also, also)
    return sorted(named.items(), key=lambda pair: pair[1])


def shown(*, content: NoticeContent | None) -> dict[str, Any]:
    """Return what the page of a draft or notice shows beside its form."""
    if content is None:
        return {}
    before = version_before(content=content)
    compared = list(difference(old=before.text, new=content.text)) if before else []
    return {"shown": content, "before": before, "difference": compared}


def version_before(*, content: NoticeContent) -> Notice | None:
    """Return the published notice of its language that `content` follows, by when they begin."""
    earlier = Notice.objects.filter(
        language__iexact=content.language, effective_at__lte=content.effective_at
    )
    if isinstance(content, Notice):
        earlier = earlier.exclude(pk=content.pk)
    return earlier.order_by("effective_at", "id").last()


def difference(*, old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, lines) in order: ``equal``, ``delete`` of `old`, ``insert`` of `new`."""
    left, right = old.splitlines(), new.splitlines()
    for kind, start, end, from_, to in SequenceMatcher(None, left, right).get_opcodes():
        if kind == _KEPT:
            yield _KEPT, "\n".join(left[start:end])
            continue
        if end > start:
            yield _GONE, "\n".join(left[start:end])
        if to > from_:
            yield _NEW, "\n".join(right[from_:to])


def _tag(code: str) -> str:
    """Return a code of Django's as BCP 47 writes it: ``pt-br`` as ``pt-BR``."""
    language, _, rest = code.partition("-")
    return language + (f"-{rest.upper() if len(rest) == 2 else rest.title()}" if rest else "")
