"""Files that settings name, looked at before the work that needs them."""

import ssl
from pathlib import Path


def ca_bundle(value: str) -> str:
    """Return the path of a PEM file that holds certificates. Raises OSError or ValueError."""
    if not value:
        return value
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=value)
    if not context.cert_store_stats()["x509"]:
        raise ValueError("no certificate in it")
    return str(Path(value).absolute())


def appendable(value: str, *, made_later: Path) -> Path | None:
    """Return the path of a file in a folder that is there; `made_later` may still be missing.

    None from nothing. A folder that is not there is a slip, or a disk that is not mounted. Raises
    ValueError.
    """
    if not value:
        return None
    path = Path(value)
    if value != value.strip() or (path.exists() and not path.is_file()):
        raise ValueError("not a file")
    if path.parent != made_later and not path.parent.is_dir():
        raise ValueError("no such folder")
    return path


def absolute(value: str) -> Path | None:
    """Return the full path of a file that may not be there yet. Raises ValueError."""
    if not value:
        return None
    if value != value.strip() or not Path(value).is_absolute():
        raise ValueError("not a full path")
    return Path(value)
