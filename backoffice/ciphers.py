"""What is kept encrypted under SECRET_KEY, and can be read after that key was changed."""

import base64
import hmac

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


def cipher(*, purpose: bytes) -> MultiFernet:
    """Return what encrypts for `purpose` under SECRET_KEY; it also reads SECRET_KEY_FALLBACKS'."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    derived = (hmac.digest(force_bytes(key), purpose, "sha256") for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
