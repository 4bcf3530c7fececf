"""How old the last backup is, by the file that the backup job touches."""

import math
import time
from pathlib import Path

from django.conf import settings

_CLOCKS_DIFFER = 3600.0  # by less than this, where the job runs on another machine


def age() -> float | None:
    """Return for how many seconds ``BACKUP_MARKER`` is untouched.

    Infinite where it is missing, or dated in the future: it would seem young for too long. None
    where none is set: then nobody can tell.
    """
    if not settings.BACKUP_MARKER:
        return None
    try:
        touched = Path(settings.BACKUP_MARKER).stat().st_mtime
    except OSError:
        return math.inf
    age = time.time() - touched
    return math.inf if age < -_CLOCKS_DIFFER else max(0.0, age)
