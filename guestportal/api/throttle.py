"""The inbound limit: `INIT_RATE` webchat POSTs per client address."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:  # DRF imports this module while it imports its own views
    from rest_framework.request import Request
    from rest_framework.views import APIView

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class WebchatThrottle(BaseThrottle):
    """Count by an atomic increment; DRF's own throttle reads, then writes, and lets bursts by.

    The address is DRF's `get_ident`: with ``NUM_PROXIES`` 0 that of the connection, so a forged
    ``X-Forwarded-For`` counts for nothing. A window opens with a client's first call.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Take one call from the client's allowance; False once it is used up."""
        if request.method != "POST" or not request.path_info.startswith("/api/webchat/"):
            return True
        count, period = settings.INIT_RATE.split("/")
        window = _SECONDS[period[0]]
        now = time.time()
        key = f"inbound:{self.get_ident(request)}"
        opened = float(cache.get_or_set(key, now, window) or now)
        self._left = opened + window - now
        return _increment(f"{key}:{opened}", window + 1) <= int(count)

    def wait(self) -> float:
        """Return the seconds until the client's window ends."""
        return max(1.0, self._left)


def _increment(key: str, seconds: float) -> int:
    """Count one; add() and incr() are atomic in memory and in Redis: of 100 at once N pass."""
    try:
        return int(cache.incr(key))
    except ValueError:  # the window's first
        cache.add(key, 0, seconds)
        return int(cache.incr(key))
