"""One form for one e-mail address, whatever its spelling: what records are found and erased by.

Made here and not in SQL: SQLite lowers only A to Z, and PostgreSQL as its collation says. The
spelling as it was given is what mail goes to.
"""

from functools import lru_cache
from unicodedata import normalize

import idna


def address_key(address: str) -> str:
    """Return the form that all spellings of `address` share; another person's is another.

    The local part is compared without its case only: no ``casefold``, by which "straße" and
    "strasse" would be one. The domain follows UTS #46, non-transitional, as mail does.
    """
    local, at, domain = address.strip().rpartition("@")
    return f"{_lower(local)}{at}{domain_key(domain)}"


@lru_cache(maxsize=1024)  # an import of 100,000 addresses has few domains
def domain_key(domain: str) -> str:
    """Return the form all spellings of `domain` share: in ASCII where it has one."""
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:  # idna's own errors are of this family
        return _lower(domain)


def _lower(text: str) -> str:
    return normalize("NFC", normalize("NFC", text).lower())
