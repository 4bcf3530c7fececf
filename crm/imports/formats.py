"""What comes in the place of a CSV file, told by how it begins, and the remedy."""

import re

_REMEDY = "Save it in the spreadsheet program as “CSV UTF-8” and take that file."
_WORKBOOK = f"This is a workbook of a spreadsheet program, not a CSV file. {_REMEDY}"
_MARKUP = f"This is a web page or XML, even if it is named .csv or .xls. {_REMEDY}"
_ARCHIVE = "This is a compressed archive: unpack it, and take the CSV file that is in it."
_OTHER = f"This is not a CSV file: it is no table of text. {_REMEDY}"
EMPTY = "The file is empty: it has neither a header nor rows."

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
# Names inside a ZIP file by which Excel's, LibreOffice's and Apple's workbooks are known.
_IN_WORKBOOKS = (b"[Content_Types].xml", b"xl/", b"opendocument.spreadsheet", b"Index/Document.iwa")
_SIGNATURES = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": _WORKBOOK,  # Excel 97 to 2003, or with a password
    b"\x09\x08": _WORKBOOK,  # older still
    b"\x1f\x8b": _ARCHIVE,  # gzip
    b"BZh": _ARCHIVE,
    b"7z\xbc\xaf\x27\x1c": _ARCHIVE,
    b"\xfd7zXZ\x00": _ARCHIVE,
    b"Rar!": _ARCHIVE,
    b"\x28\xb5\x2f\xfd": _ARCHIVE,  # Zstandard
    b"%PDF": _OTHER,
    b"{\\rtf": _OTHER,
}
# Every twentieth: text has none, and a cell with one is told by its row.
_MOST_CONTROLS = 0.05
_JSON = re.compile(r"\{|\[\s*[{\[\]\"]")
_CONTROLS = bytes({*range(32), 127} - {*b"\t\n\r"})


def fault_of_bytes(*, head: bytes) -> str:
    """Return why a file that begins with `head` is no text at all; empty where it may be."""
    if head.startswith(_ZIP):
        return _WORKBOOK if any(name in head for name in _IN_WORKBOOKS) else _ARCHIVE
    return next((why for start, why in _SIGNATURES.items() if head.startswith(start)), "")


def fault_of_text(*, text: str) -> str:
    """Return why a file whose text begins with `text` is no CSV; empty where it may be."""
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return _MARKUP
    if _JSON.match(start):
        return _OTHER
    controls = len(text) - len(text.translate(dict.fromkeys(_CONTROLS)))
    return _OTHER if controls > len(text) * _MOST_CONTROLS else ""
