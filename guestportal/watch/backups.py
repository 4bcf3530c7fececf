"""How old the last backup is, by the file that the backup job touches."""

import math
import time
from pathlib import Path

from django.conf import settings

CLOCKS_APART = 3600.0  # seconds by which a file server's clock may be ahead


def age() -> float | None:
    """Return for how many seconds ``BACKUP_MARKER`` is untouched; None where none is set.

    Infinite where it is missing, or dated in the future: it says nothing then.
    """
    if not settings.BACKUP_MARKER:
        return None
    try:
        touched = Path(settings.BACKUP_MARKER).stat().st_mtime
    except OSError:
        return math.inf
    past = time.time() - touched
    return math.inf if past < -CLOCKS_APART else max(0.0, past)
