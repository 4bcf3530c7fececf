"""How old the last backup is, by the file that the backup job touches."""

import math
import time
from pathlib import Path

from django.conf import settings


def age() -> float | None:
    """Return for how many seconds ``BACKUP_MARKER`` is untouched; infinite where it is missing.

    None where none is set: then nobody can tell.
    """
    if not settings.BACKUP_MARKER:
        return None
    try:
        touched = Path(settings.BACKUP_MARKER).stat().st_mtime
    except OSError:
        return math.inf
    return max(0.0, time.time() - touched)
