"""Read ``.env``. What is not understood stops the start, and no value is ever repeated.

Files of this name are also read by shells, Docker and systemd, which differ. A line that they read
alike is read so here; one that they would read differently, and that can be written otherwise, is
refused. The rules stand in docs/settings.md.
"""

import codecs
import re
import string
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

# A name of ours under these is an older or a newer release's, or a slip that would go unseen.
_OUR_PREFIXES = ("GENESYS_", "MESSENGER_", "AUDIT_", "CONSENT_", "OIDC_")
_LINE = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)=(.*)", re.ASCII)
# A name and what somebody else's syntax puts after it: `NAME = value`, `NAME: value`.
_MEANT = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*[=:]")
_WRITTEN = "write NAME=value, with no blank around the = sign"
_LETTERS = string.ascii_uppercase + string.digits + "_"


@dataclass(frozen=True)
class Dotenv:
    """What a file says: `values` by name, and which names are not `ours`."""

    values: dict[str, str]
    unknown: tuple[str, ...] = ()


def read(path: Path, *, ours: Collection[str]) -> Dotenv:
    """Return what the file says. Raises ImproperlyConfigured, which names the line and the name."""
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise ImproperlyConfigured(f"{path.name} cannot be read: {exc.strerror}.") from exc
    values: dict[str, str] = {}
    for number, line in enumerate(_lines(content, path.name), 1):
        try:
            values |= _assignment(line, ours)
        except ValueError as exc:
            raise ImproperlyConfigured(f"{path.name}, line {number}: {exc}.") from None
    return Dotenv(values, tuple(name for name in values if name not in ours))


def line(*, name: str, value: str) -> str:
    """Return the line that `read` understands as `value`, which has no line break."""
    if re.fullmatch(r"[\w.,:/@+-]*", value):
        return f"{name}={value}\n"
    escaped = re.sub(r'(["\\$`])', r"\\\1", value)
    return f'{name}="{escaped}"\n'


def _lines(content: bytes, file: str) -> Iterator[str]:
    """Yield the lines; a byte order mark and the line ends of Windows are understood."""
    encoding = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as exc:
        number = content[: exc.start].count(b"\n") + 1
        raise ImproperlyConfigured(f"{file}, line {number}: is not UTF-8.") from None
    for line in text.split("\n"):
        yield line.removesuffix("\r")


def _assignment(line: str, ours: Collection[str]) -> dict[str, str]:
    """Return the name and value of one line, nothing for a comment. Raises ValueError."""
    if not line.strip() or line.lstrip().startswith("#"):
        return {}
    found = _LINE.fullmatch(line)
    if not found:
        raise ValueError(_with_name(line, ours))
    name, written = found[1], found[2]
    if name not in ours and (meant := _resembled(name, ours)):
        raise ValueError(f"{name} is no setting{meant}")
    try:
        if name in ours and re.match(r"[^'\"].*[ \t]#|#", written):
            raise ValueError("has a # after a blank: quote the value, or give the comment a line")
        return {name: _value(written)}
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from None


def _with_name(line: str, ours: Collection[str]) -> str:
    """Return what is wrong with a line that is no assignment; the name only where it is one."""
    meant = _MEANT.match(line)
    first = meant[1] if meant else line.split()[0]
    return f"{first}: {_WRITTEN}" if meant or first in ours else f"is not understood; {_WRITTEN}"


def _value(written: str) -> str:
    """Return the value that stands after the = sign. Raises ValueError without quoting it."""
    if written[:1] in {" ", "\t"} and written.strip():
        raise ValueError(_WRITTEN)
    value = written.strip(" \t")
    if any(unicodedata.category(character) == "Cc" for character in value.replace("\t", "")):
        raise ValueError("has a control character")
    if value[:1] in {"'", '"'}:
        return _unquoted(value)
    return value


def _unquoted(value: str) -> str:
    """Return what stands in quotes; in double ones a backslash guards some signs."""
    inside = re.fullmatch(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"", value)
    if not inside:
        raise ValueError("a quote is not closed, or something follows the closing one")
    if inside[1] is not None:
        return inside[1]
    return re.sub(r'\\(["\\$`])', r"\1", inside[2])


def _resembled(name: str, ours: Collection[str]) -> str:
    """Return why `name` cannot be somebody else's: how it goes on in a sentence, or nothing."""
    plain = re.sub(r"[.-]", "_", name.upper())
    if near := next((own for own in _variants(plain) if own in ours), ""):
        return f"; is {near} meant?"
    if plain.startswith(_OUR_PREFIXES):
        return " of this release"
    return ""


def _variants(name: str) -> Iterator[str]:
    """Yield `name`, and it with one letter more, fewer or other, or two swapped."""
    yield name
    for at in range(len(name) + 1):
        before, after = name[:at], name[at:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in _LETTERS:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]
