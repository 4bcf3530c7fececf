"""Numbers and lists as people read them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from backoffice.lists import as_counted
from backoffice.periods import moment

register = template.Library()
register.filter("counted", as_counted)
register.filter("moment", moment)


@register.filter
def thousands(number: int) -> str:
    """Return 1234567 as 1,234,567."""
    return f"{number:,}"


@register.filter
def labelled(cells: Iterable[str], headers: Iterable[Mapping[str, Any]]) -> Iterator[SafeString]:
    """Yield a row's cells, each with its column's heading, which a telephone shows beside it."""
    for cell, header in zip(cells, headers, strict=False):
        text = (
            "" if "<" in header["text"] else escape(capfirst(header["text"]))
        )  # a box that ticks them all
        yield mark_safe(re.sub(r"^<(t[dh])", rf'<\1 data-label="{text}"', cell))  # noqa: S308


@register.filter
def percent(share: float | None) -> str:
    """Return 0.934 as 93 %; nothing to share is a dash."""
    return "–" if share is None else f"{share * 100:.0f} %"
