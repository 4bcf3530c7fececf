"""Numbers as people read them."""

from django import template

from backoffice.lists import as_counted

register = template.Library()
register.filter("counted", as_counted)


@register.filter
def thousands(number: int) -> str:
    """Return 1234567 as 1,234,567."""
    return f"{number:,}"


@register.filter
def percent(share: float | None) -> str:
    """Return 0.934 as 93 %; nothing to share is a dash."""
    return "–" if share is None else f"{share * 100:.0f} %"
