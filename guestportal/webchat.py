"""The browser client: its version, and the hash that a page pins it by.

`webchat-VERSION.js` is an ES module, served as it is written. Published, its bytes never change.
"""

import base64
import hashlib
from pathlib import Path

VERSION = "1.2.0"
MODULE = Path(__file__).resolve().parent / f"static/guestportal/webchat-{VERSION}.js"


def integrity() -> str:
    """Return the module's ``integrity`` value (W3C Subresource Integrity)."""
    digest = hashlib.sha384(MODULE.read_bytes()).digest()
    return "sha384-" + base64.b64encode(digest).decode()
