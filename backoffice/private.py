"""What is for its owner alone: files, whatever the umask, and what is kept encrypted.

It is encrypted under SECRET_KEY, and can be read after that key was changed.
"""

import base64
import hmac
import os

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes

# For open()'s `opener`: a file that is new is made so, one that is there is left as it is.
OWNER_ONLY = 0o600
FOLDER_OWNER_ONLY = 0o700


def private(path: str, flags: int) -> int:
    """Open `path` as `open` asks for; to be its `opener`. Raises OSError."""
    return os.open(path, flags, OWNER_ONLY)


def cipher(*, purpose: bytes) -> MultiFernet:
    """Return what encrypts for `purpose` under SECRET_KEY; it also reads SECRET_KEY_FALLBACKS'."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    derived = (hmac.digest(force_bytes(key), purpose, "sha256") for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
