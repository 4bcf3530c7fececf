"""The inbound limit: `INIT_RATE` webchat POSTs per client address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.throttling import BaseThrottle

from provisioning.atomic import Done, Fields, Step, Value, number

if TYPE_CHECKING:  # DRF imports this module while it imports its own views
    from rest_framework.request import Request
    from rest_framework.views import APIView

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _count(fields: Fields, ends_at: float, now: float, values: Sequence[Value]) -> Done:
    window = number(values[0]) if not fields else 0
    fields["count"] = number(fields.get("count")) + 1
    return [fields["count"], window or ends_at - now], window


COUNT = Step(
    "count",
    """
local count = redis.call('HINCRBY', KEYS[1], 'count', 1)
if count == 1 then redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[1]) * 1000) end
return {tostring(count), text(redis.call('PTTL', KEYS[1]) / 1000)}
""",
    _count,
)


class WebchatThrottle(BaseThrottle):
    """Count in one step; DRF's own throttle reads, then writes, and lets bursts by.

    The address is DRF's `get_ident`: with ``NUM_PROXIES`` 0 that of the connection, so a forged
    ``X-Forwarded-For`` counts for nothing. A window opens with a client's first call.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Take one call from the client's allowance; False once it is used up."""
        if request.method != "POST" or not request.path_info.startswith("/api/webchat/"):
            return True
        most, period = settings.INIT_RATE.split("/")
        key = f"inbound:{self.get_ident(request)}"
        count, left = COUNT.run(key=key, values=[_SECONDS[period[0]]])
        self._left = number(left)
        return number(count) <= int(most)

    def wait(self) -> float:
        """Return the seconds until the client's window ends."""
        return max(1.0, self._left)
