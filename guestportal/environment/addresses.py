"""Hosts, origins and URLs, each in the one form in which it is compared and called.

An origin is what browsers send (RFC 6454): small letters, no default port, nothing after the host.
"""

import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, unquote, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)*{_LABEL}")
_DOMAIN = re.compile(rf"({_LABEL}\.)+([a-z]{{2,63}}|xn--[a-z0-9-]{{0,58}}[a-z0-9])")
# What a URL may hold after the host, RFC 3986.
_AFTER_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")


def host(value: str) -> str:
    """Return a host name or address in small letters, IPv6 in brackets. Raises ValueError."""
    if value.startswith("[") and value.endswith("]"):
        return f"[{IPv6Address(value[1:-1])}]"
    name = value.lower()
    if re.fullmatch(r"[0-9.]+", name):
        return str(ip_address(name))
    if not _NAME.fullmatch(name):
        raise ValueError("not a host")
    return name


def allowed_host(value: str) -> str:
    """Return an entry of ALLOWED_HOSTS: a host, ``.example.com`` or ``*``. Raises ValueError."""
    if value == "*":
        return value
    return f".{host(value[1:])}" if value.startswith(".") else host(value)


def bind(value: str) -> str:
    """Return an address or name to listen on, IPv6 without brackets. Raises ValueError."""
    if ":" in value and not value.startswith("["):
        return str(IPv6Address(value))
    return host(value).strip("[]")


def mail_domain(value: str) -> str:
    """Return a domain name that ``visitor_12345678@`` may stand before. Raises ValueError."""
    name = value.lower()
    if not _DOMAIN.fullmatch(name) or len(name) > 254 - len("visitor_12345678@"):
        raise ValueError("not a domain")
    return name


def mailbox(value: str) -> str:
    """Return a mail address as an SMTP server takes it, without a name. Raises ValueError."""
    local, _, domain = value.rpartition("@")
    if value and not (re.fullmatch(r"[A-Za-z0-9._%+-]{1,64}", local) and _NAME.fullmatch(domain)):
        raise ValueError("not a mail address")
    return value


def region(value: str) -> str:
    """Return the domain of a region, whose hosts are ``api.`` it and the like. Raises ValueError.

    The address of one of those hosts is a slip: nothing would be found below it.
    """
    if not value:
        return value
    name = mail_domain(value)  # as long as it may be with the longest of those before it
    if name.startswith(("api.", "apps.", "login.", "webmessaging.")):
        raise ValueError("a host of a region")
    return name


def origin(value: str) -> str:
    """Return an origin as browsers send it. Raises ValueError."""
    return _written(_split(value, {"http", "https"}))


def trusted_origin(value: str) -> str:
    """Return an origin, or ``https://*.example.com`` as Django knows it. Raises ValueError."""
    scheme, mark, rest = value.partition("://*.")
    if not mark:
        return origin(value)
    return origin(f"{scheme}://{rest}").replace("://", mark, 1)


def normal_host(given: str, *, scheme: str) -> str:
    """Return a Host header that Django takes, without capitals, last dot and default port."""
    name, _, port = given.lower().rpartition(":")
    if not name or given.endswith("]"):
        name, port = given.lower(), ""
    name = name.removesuffix(".")
    return name if port in {"", str(DEFAULT_PORTS[scheme])} else f"{name}:{port}"


def url(*, path: str) -> Callable[[str], str]:
    """Return what takes an http or https URL without user info and fragment, made normal.

    `path`: ``none``, ``needed`` or ``free``. Only a needed one may have a query; from the others a
    slash at the end is dropped.
    """

    def parse(value: str) -> str:
        if not value:
            return value
        taken = value if path == "needed" else value.removesuffix("/")
        parts = _split(taken, {"http", "https"}, after_host=path != "none")
        if (parts.query and path != "needed") or (path == "needed" and len(parts.path) < 2):
            raise ValueError("not the path it should have")
        query = f"?{parts.query}" if parts.query else ""
        return _written(parts) + parts.path + query

    return parse


def issuer(value: str) -> str:
    """Return the address by which an identity provider names itself, untouched.

    Tokens are compared with it character by character (OpenID Connect Core 1.0, 3.1.3.7), so even
    a slash at its end stays or is missing as it was written. Raises ValueError.
    """
    if value:
        parts = _split(value, {"http", "https"}, after_host=True)
        if parts.query or len(value) > 255:
            raise ValueError("not an issuer")
    return value


def proxy(value: str) -> str:
    """Return ``http[s]://[USER:PASSWORD@]HOST:PORT``. Raises ValueError."""
    if not value:
        return value
    parts = _split(value.removesuffix("/"), {"http", "https"}, user_info=True)
    if parts.port is None:
        raise ValueError("no port")
    credentials, mark, _ = parts.netloc.rpartition("@")
    if not re.fullmatch(r"[!-~]*", credentials):
        raise ValueError("not credentials")
    unquote(credentials, errors="strict").encode("latin-1")  # as HTTP Basic sends them
    return f"{parts.scheme}://{credentials}{mark}{host(_bracketed(parts))}:{parts.port}"


def server(value: str) -> SplitResult:
    """Return the parts of a store's URL, whose host and port can be one. Raises ValueError."""
    parts = urlsplit(value)
    if parts.fragment or not re.fullmatch("[!-~]+", value):
        raise ValueError("not a URL")
    network_host(_bracketed(parts))
    _require_port(parts)
    return parts


def network_host(value: str) -> str:
    """Return a host; the names of a container network may have a ``_``. Raises ValueError."""
    host(value.replace("_", "-"))
    return value


def _split(
    value: str, schemes: set[str], *, after_host: bool = False, user_info: bool = False
) -> SplitResult:
    """Return the parts of `value`, of one of `schemes`. Raises ValueError."""
    # urlsplit() drops line breaks, and takes almost anything for a host.
    if not re.fullmatch("[!-~]+", value) or "#" in value or "\\" in value:
        raise ValueError("not a URL")
    parts = urlsplit(value)
    if parts.scheme not in schemes or ("@" in parts.netloc and not user_info):
        raise ValueError("not such a URL")
    rest = value[len(parts.scheme) + len("://") + len(parts.netloc) :]
    if not _AFTER_HOST.fullmatch(rest) or (rest and not after_host):
        raise ValueError("not such a URL")
    host(_bracketed(parts))
    _require_port(parts)
    return parts


def _require_port(parts: SplitResult) -> None:
    if parts.port == 0 or parts.netloc.endswith(":"):
        raise ValueError("no such port")


def _bracketed(parts: SplitResult) -> str:
    name = parts.hostname or ""
    return f"[{name}]" if ":" in name else name


def _written(parts: SplitResult) -> str:
    port = parts.port
    shown = "" if port in {None, DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host(_bracketed(parts))}{shown}"
