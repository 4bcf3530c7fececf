"""The platform: what `check_genesys` asks of it, and how long its certificates hold."""

import ssl
import time
from base64 import b64encode
from collections.abc import Iterator
from http.client import HTTPException, HTTPSConnection
from urllib.parse import SplitResult, unquote, urlsplit

import certifi
from django.conf import settings

from guestportal.doctor.findings import FAULT, NOT_CHECKED, OK, WARNING, Check, Finding
from provisioning import health

LEAST_DAYS = 14
_SECONDS = 5.0
_DAY = 86_400


def _asked() -> Iterator[Finding]:
    """Yield what the platform says; one that is missing its credentials is not asked."""
    if not (settings.GENESYS_CLIENT_ID and settings.GENESYS_CLIENT_SECRET):
        remedy = "Set GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET."
        yield Finding("platform", FAULT, "cannot be asked without credentials", remedy)
        return
    for answer in health.ask_platform():
        said = f"{answer.name}: {answer.said}" if answer.said else answer.name
        if not answer.tried:
            yield Finding("platform", NOT_CHECKED, said)
        else:
            yield Finding("platform", FAULT if answer.remedy else OK, said, answer.remedy)


def _certificates() -> Iterator[Finding]:
    addresses = [urlsplit(settings.GENESYS_BASE_URL), urlsplit(settings.GENESYS_OAUTH_URL)]
    secure = {(each.hostname, each.port): each for each in addresses if each.scheme == "https"}
    if not secure:
        yield Finding("certificate", NOT_CHECKED, "plain http to a sandbox on loopback has none")
    for address in secure.values():
        yield _certificate(address)


def _certificate(address: SplitResult) -> Finding:
    host = address.hostname or ""
    proxy = urlsplit(settings.GENESYS_PROXY or "")
    if proxy.scheme == "https":
        return Finding("certificate", NOT_CHECKED, f"of {host}: is behind a proxy that speaks TLS")
    connection = _connection(address, proxy)
    try:
        connection.connect()
        ends = dict(connection.sock.getpeercert() or {}).get("notAfter", "")
        days = (ssl.cert_time_to_seconds(str(ends)) - time.time()) / _DAY
    except ssl.SSLCertVerificationError as exc:
        remedy = "Set GENESYS_CA_BUNDLE, or look at its name and dates."
        said = f"of {host}: is not trusted ({exc.verify_message.rstrip('.')})"
        return Finding("certificate", FAULT, said, remedy)
    except (OSError, HTTPException, ValueError) as exc:
        said = f"of {host}: no connection ({type(exc).__name__})"
        remedy = "Look at the address, DNS, firewall and GENESYS_PROXY."
        return Finding("certificate", FAULT, said, remedy)
    finally:
        connection.close()
    if days < LEAST_DAYS:
        remedy = "Have it renewed by whoever runs that address (or the CA of GENESYS_CA_BUNDLE)."
        said = f"of {host}: ends in {days:.0f} days"
        return Finding("certificate", WARNING, said, remedy)
    return Finding("certificate", OK, f"of {host}: holds for {days:.0f} days")


def _connection(address: SplitResult, proxy: SplitResult) -> HTTPSConnection:
    """Return a connection that is not made yet, through the proxy where there is one."""
    context = ssl.create_default_context(cafile=settings.GENESYS_CA_BUNDLE or certifi.where())
    host, port = address.hostname or "", address.port or 443
    if not proxy.hostname:
        return HTTPSConnection(host, port, timeout=_SECONDS, context=context)
    connection = HTTPSConnection(proxy.hostname, proxy.port, timeout=_SECONDS, context=context)
    headers = {}
    if proxy.username is not None:
        who = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {b64encode(who.encode()).decode()}"
    connection.set_tunnel(host, port, headers)
    return connection


CHECKS = (
    # Each question has GENESYS_DEADLINE for itself; without an answer to the first none follows.
    Check("platform", _asked, needs="migrations", seconds=120),
    Check("certificate", _certificates, seconds=15),
)
