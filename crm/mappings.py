"""The attribute mappings, read twice a second at most: they are the same for every visitor."""

import time
from collections.abc import Sequence

from crm.models import AttributeMapping

# An edit is live everywhere within a second; in the process that made it, at once.
FRESH_SECONDS = 0.5

_kept: tuple[float, Sequence[AttributeMapping]] | None = None


def current() -> Sequence[AttributeMapping]:
    """Return all mappings in their order. Raises django.db.Error."""
    global _kept
    now = time.monotonic()
    if _kept is None or now >= _kept[0]:
        _kept = (now + FRESH_SECONDS, tuple(AttributeMapping.objects.all()))
    return _kept[1]


def forget() -> None:
    """Read them anew at the next use."""
    global _kept
    _kept = None
