"""Staff in the log: who they are there, and that they looked."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from audit import log


def actor(request: HttpRequest) -> str:
    """Return the log's name for whoever sent `request`: ``staff:<user id>``."""
    return f"staff:{request.user.pk}"


def record(request: HttpRequest, *, kind: str, data: Mapping[str, Any], subject: str = "") -> None:
    """Record, in a transaction of its own, something that `request`'s sender saw or took."""
    with transaction.atomic():
        log.record(kind=kind, actor=actor(request), subject=subject, data=data)
