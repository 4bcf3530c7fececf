"""Text that visitors and files gave us, made harmless where people read it.

Django escapes HTML. Two things pass through that: characters that turn the direction of all text
around them (Unicode UAX #9, "Trojan Source"), and cells that a spreadsheet runs as formulas
(OWASP, *CSV Injection*).
"""

import re

# Explicit directional formatting characters and marks of UAX #9.
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def visible(text: object) -> str:
    """Return `text` with each direction character written out, such as ``[U+202E]``."""
    return _DIRECTIONS.sub(lambda found: f"[U+{ord(found.group()):04X}]", str(text))


def cell(value: object) -> str:
    """Return `value` as a CSV cell that no spreadsheet takes for a formula; numbers stay as is."""
    text = visible(value)
    if text.lstrip(" ").startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def mask_address(address: str) -> str:
    """Return an e-mail address of which only the first letter and the domain are left."""
    local, _, domain = visible(address).rpartition("@")
    return f"{local[:1]}…@{domain}"


def mask(text: object) -> str:
    """Return the first letter of a text and that there is more."""
    shown = visible(text)
    return f"{shown[:1]}…" if shown else ""
