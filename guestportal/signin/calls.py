"""One call to the identity provider: https, bounded in time and bytes, no redirect followed.

The bounds are those of the platform's client (`provisioning.genesys.transport`): a deadline that
holds for every wait, a limit for what is read, nothing taken from the environment.
"""

import functools
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from guestportal.loopback import is_loopback
from guestportal.signin.failures import SignInFailed
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError, Protocol
from provisioning.genesys.transport import Answer, Transport

# For all calls of one sign-in, or of one look at the groups.
SECONDS = 10.0
_CONNECT, _READ = 3.0, 5.0


class Calls:
    """The calls of one sign-in, which end together at its deadline."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._deadline = Deadline(seconds=seconds)

    def get(self, url: str, *, token: str = "") -> Answer:
        """Return the answer to a GET, with `token` as its bearer. Raises SignInFailed."""
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self._send("GET", url, headers=headers)

    def post(self, url: str, form: Mapping[str, str], *, auth: tuple[str, str] | None) -> Answer:
        """Return the answer to a form, with `auth` as HTTP Basic. Raises SignInFailed."""
        headers = {"Accept": "application/json"}
        return self._send("POST", url, headers=headers, data=dict(form), auth=auth)

    def _send(self, method: str, url: str, **request: Any) -> Answer:
        require_safe(url)
        transport = _transport(settings.OIDC_CA_BUNDLE, settings.OIDC_PROXY)
        try:
            answer = transport.send(method, url, deadline=self._deadline, **request)
        except Protocol as exc:
            raise SignInFailed("nonsense", "an answer that is too large or not decoded") from exc
        except PlatformError as exc:
            raise SignInFailed("unreachable", _reason(exc)) from exc
        if answer.status >= 500 or answer.status == 429:
            raise SignInFailed("unreachable", f"status {answer.status}")
        return answer


def require_safe(url: str) -> None:
    """Raise SignInFailed unless `url` is https, or plain http on loopback."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host=host))
        odd = "@" in parts.netloc or not url.isascii() or not url.isprintable() or " " in url
        if host and secure and not odd and parts.port != 0:
            return
    except ValueError:
        pass
    raise SignInFailed("nonsense", "an address that is not https")


def _reason(exc: PlatformError) -> str:
    """Return what stood in the way, in the transport's words, with the settings that hold here."""
    return str(exc).rpartition(": ")[2].replace("GENESYS_", "OIDC_").replace("platform", "provider")


@functools.cache
def _transport(ca_bundle: str, proxy: str) -> Transport:
    return Transport(
        connect_timeout=_CONNECT,
        read_timeout=_READ,
        pool_size=4,
        ca_bundle=ca_bundle,
        proxy=proxy,
    )
