"""Pages by key: the table is never counted and no page is reached by skipping rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from crm.models import CrmRecord

DEFAULT_SIZE = 100
LARGEST_SIZE = 1000
LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class Page:
    """Records in the order of creation, and the address of the next page, None at the end."""

    records: Sequence[CrmRecord]
    next: str | None


def page_of(*, request: Request) -> Page:
    """Return the page that ``?after`` and ``?limit`` ask for. Raises ValidationError."""
    limit = _number(request, "limit", default=DEFAULT_SIZE, low=1, high=LARGEST_SIZE)
    after = _number(request, "after", default=0, low=0, high=LARGEST_NUMBER)
    found = list(CrmRecord.objects.filter(pk__gt=after).order_by("pk")[: limit + 1])
    records = found[:limit]
    if len(found) == len(records):
        return Page(records, None)
    query = urlencode({"after": records[-1].pk, "limit": limit})
    return Page(records, f"{request.path}?{query}")


def _number(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
        raise ValidationError({name: [f"{name} must be a whole number from {low} to {high}."]})
    return int(text)
