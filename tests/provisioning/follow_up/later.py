"""Housekeeping at a later time."""

from collections.abc import Callable
from datetime import timedelta

import time_machine
from django.utils import timezone


def after(duty: Callable[[], int], **passed: float) -> int:
    """Do a duty as if so much time had passed; ``seconds=61`` and the like."""
    with time_machine.travel(timezone.now() + timedelta(**passed), tick=True):
        return duty()
