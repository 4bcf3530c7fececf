"""Text that visitors and files gave us, made harmless where people read it.

Django escapes HTML. Two things pass through that: characters that turn the direction of all text
around them (Unicode UAX #9, "Trojan Source"), and cells that a spreadsheet runs as formulas
(OWASP, *CSV Injection*).
"""

import re

# Explicit directional formatting characters and marks of UAX #9.
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_WRITTEN_OUT = r"U\+(?:061C|200[EF]|202[A-E]|206[6-9]|005B)\]"
# A spreadsheet may part cells at other characters than commas, and drops blanks and quotation marks
# before it looks for a formula.
_FORMULA = r"'*(?:[^\S\t\r\n]|\")*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]"
_BEFORE_FORMULA = re.compile(rf"(\A|[;,|\t\r\n])(?={_FORMULA})")
_DEFUSED = re.compile(rf"(\A|[;,|\t\r\n])'(?={_FORMULA})")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def visible(text: object) -> str:
    """Return `text` with each direction character written out, such as ``[U+202E]``."""
    return _DIRECTIONS.sub(lambda found: f"[U+{ord(found.group()):04X}]", str(text))


def cell(value: object) -> str:
    """Return `value` as a CSV cell that no spreadsheet takes for a formula; numbers stay as is.

    `original` is its inverse: what looks like something that was written out, or defused, is told
    from it by one bracket or apostrophe more.
    """
    text = visible(re.sub(rf"\[(?={_WRITTEN_OUT})", "[U+005B]", str(value)))
    return text if _NUMBER.fullmatch(text) else _BEFORE_FORMULA.sub(r"\1'", text)


def original(cell_text: str) -> str:
    """Return what `cell` made `cell_text` of; text that it cannot have made, as it is."""
    undefused = _DEFUSED.sub(r"\1", cell_text)
    text = re.sub(rf"\[{_WRITTEN_OUT}", lambda found: chr(int(found.group()[3:-1], 16)), undefused)
    return text if cell(text) == cell_text else cell_text


def mask_address(address: str) -> str:
    """Return an e-mail address of which only the first letter and the domain are left."""
    local, _, domain = visible(address).rpartition("@")
    return f"{local[:1]}…@{domain}"


def mask(text: object) -> str:
    """Return the first letter of a text and that there is more."""
    shown = visible(text)
    return f"{shown[:1]}…" if shown else ""
