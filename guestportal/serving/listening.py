"""Whether the web server will be able to listen where it is told to; if not, why."""

import errno
import socket

from django.conf import settings

_REASONS = {
    errno.EADDRINUSE: "is taken: stop what listens there, or set PORT",
    errno.EACCES: "may not be used by this user: ports below 1024 are root's; set PORT",
    errno.EADDRNOTAVAIL: "is no address of this machine: set BIND",
    errno.EAFNOSUPPORT: "is of a kind that this machine does not have: set BIND",
}


class CannotListen(Exception):
    """BIND:PORT cannot be listened on; the message says why and names the setting."""


def require_listening() -> None:
    """Listen on BIND:PORT for a moment. Raises CannotListen."""
    where = f"{settings.BIND}:{settings.PORT}"
    try:
        found = socket.getaddrinfo(
            settings.BIND, settings.PORT, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as exc:
        raise CannotListen(f"{where} {reason(exc)}") from exc


def reason(exc: OSError) -> str:
    """Return how a sentence about an address goes on, after which `exc` was raised."""
    if isinstance(exc, socket.gaierror):
        return "has a name that was not found: set BIND"
    return _REASONS.get(exc.errno or 0, f"cannot be listened on: {exc.strerror}")
