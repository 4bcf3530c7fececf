"""How often one client may come: counted by address, in one step, before anything is parsed.

A step counts what DRF's throttle would read and then write, so of a hundred at once only as many
pass as may. A window opens with a client's first call.
"""

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from provisioning.atomic import Done, Fields, Step, Value, number

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# A household or an office gets at least a /64 (RFC 6177); its addresses are one client's to choose.
_IPV6_CLIENT = 64


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


def wait_for_turn(*, name: str, rate: str, client: str) -> float:
    """Count one call of `client` against `rate` (``N/min``) of what `name` limits.

    Returns 0 while it may go on, else the seconds until its window ends.
    """
    most, _, period = rate.partition("/")
    count, left = COUNT.run(key=f"{name}:{client}", values=[_SECONDS[period[0]]])
    return 0.0 if number(count) <= int(most) else max(1.0, number(left))


def client_address(request: HttpRequest) -> str:
    """Return whom a limit counts: an IPv4 address, or the /64 of an IPv6 one.

    With NUM_PROXIES 0 that of the connection: ``X-Forwarded-For`` is anybody's text. Otherwise the
    entry that the outermost of our proxies wrote; one that is no address counts as the connection.
    """
    connection = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    trusted = settings.NUM_PROXIES
    if trusted and forwarded:
        entries = forwarded.split(",")
        return _client(entries[-min(trusted, len(entries))]) or _client(connection) or connection
    return _client(connection) or connection


def _client(text: str) -> str:
    """Return the client of an address that may have a port or a zone; nothing where it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(ip_network((address, _IPV6_CLIENT), strict=False))
        address = address.ipv4_mapped
    return str(address)
