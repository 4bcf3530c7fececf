"""Housekeeping at a later time."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import time_machine
from django.utils import timezone

T = TypeVar("T")


def after(duty: Callable[[], T], **passed: float) -> T:
    """Do a duty as if so much time had passed; ``seconds=61`` and the like."""
    with time_machine.travel(timezone.now() + timedelta(**passed), tick=True):
        return duty()
