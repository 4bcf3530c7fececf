"""Whether a host is this machine itself: there plain http is safe, and a probe may see details."""

from ipaddress import ip_address


def is_loopback(*, host: str) -> bool:
    """Tell whether `host`, an address or a name, is on loopback; no name is looked up."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
