"""The lines of a file that does not say how its letters are written: found out on the way.

A mark at the beginning, or the zeros between letters, tell UTF-16 and UTF-32. In everything else
the first letter beyond ASCII decides: UTF-8 where it is well-formed UTF-8, which text in another
encoding hardly ever is; else Windows-1252, as Excel's "CSV" without "UTF-8" is written in Western
Europe. So one pass is enough, however long the file is.
"""

import codecs
import hashlib
import io
import re
from collections.abc import Iterator
from functools import partial
from typing import IO, Any

from crm.imports import formats
from crm.imports.faults import BadLine, RowFault, Unreadable

MAX_LINE = 1024 * 1024  # characters: more than cells that are taken can have
TOO_LONG = f"It is longer than {MAX_LINE:,} characters."
WINDOWS = "Windows-1252"
UTF8 = "UTF-8"
_HEAD = 64 * 1024  # bytes
_HEADER = 256  # bytes: what follows may be in letters that have no zeros
_REMEDY = "Save the file anew as “CSV UTF-8”."
_MIXED = f"Before, the file is {WINDOWS}; from here on it has UTF-8 as well. {_REMEDY}"
_BROKEN = f"Here or soon after, the file is not what it began as: it may be cut off. {_REMEDY}"

# UTF-32 first: the mark of its little-endian form begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", UTF8),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# Well-formed UTF-8 beyond ASCII. Bytes that are none arrive as lone surrogates (PEP 383).
_LETTER = re.compile(r"[^\x00-\x7f\udc80-\udcff]")


class Lines:
    """The lines of `content` with their ends, to be gone through once.

    Raises Unreadable where it is no text, and BadLine.
    """

    def __init__(self, *, content: IO[bytes]) -> None:
        self._digest = hashlib.sha256()
        self._bytes = io.BufferedReader(_Digested(content, self._digest), _HEAD)
        self._encoding = ""

    @property
    def encoding(self) -> str:
        """The name of the encoding, as far as was read; ASCII alone is UTF-8 too."""
        return self._encoding or UTF8

    @property
    def sha256(self) -> str:
        """Hex digest of what was read so far: of the whole file at its end."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[str]:
        head = self._bytes.peek()
        codec, self._encoding = _encoding(head)
        unicode = "utf-8" not in codec
        sentence = formats.fault_of_bytes(head=head)
        if sentence := sentence or formats.fault_of_text(text=head.decode(codec, "replace")):
            raise Unreadable(RowFault(0, "", sentence))
        errors = "strict" if unicode else "surrogateescape"
        text = io.TextIOWrapper(self._bytes, encoding=codec, errors=errors, newline="")
        try:
            for line in iter(partial(text.readline, MAX_LINE + 1), ""):
                yield line if unicode or line.isascii() else self._decided(line)
        except UnicodeDecodeError as exc:
            raise BadLine(_BROKEN) from exc

    def _decided(self, line: str) -> str:
        """Return `line`, which has more than ASCII, as the first such line has it."""
        letters = bool(_LETTER.search(line))
        if not self._encoding:
            self._encoding = UTF8 if letters else WINDOWS
        if self._encoding == UTF8:
            return line  # a byte that is not is found in its cell
        if letters:
            raise BadLine(_MIXED)
        return line.encode("utf-8", "surrogateescape").decode("cp1252", "surrogateescape")


class _Digested(io.RawIOBase):
    """Hands on the bytes of a file that others close, and digests them."""

    def __init__(self, content: IO[bytes], digest: Any) -> None:
        self._content = content
        self._digest = digest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._content.read(len(buffer))
        self._digest.update(piece)
        buffer[: len(piece)] = piece
        return len(piece)


def _encoding(head: bytes) -> tuple[str, str]:
    """Return Python's and people's name of the encoding; the latter is empty where it is open."""
    for mark, codec, name in _MARKS:
        if head.startswith(mark):
            return codec, name
    # Of a header, mostly ASCII, every other byte is 0; other binary files have them anywhere.
    header = head[:_HEADER]
    high, low = header[0::2].count(0), header[1::2].count(0)
    if max(high, low) * 5 > len(header) and min(high, low) * 10 < max(high, low):
        return ("utf-16-le" if low > high else "utf-16-be"), "UTF-16"
    return "utf-8", ""
