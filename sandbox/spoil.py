"""Faults that are in the answer's bytes: what was true becomes false, broken or huge."""

import struct
import zlib
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sandbox.answers import scripted_error
from sandbox.faults import Fault
from sandbox.wire import Answer, to_json

_SILENT = ("hang", "close", "reset")
_HTML = b"<!doctype html><html><title>Bad gateway</title><h1>Something is wrong</h1></html>"
_MEGABYTE = b" " * 1_000_000


def spoil(*, answer: Answer | None, fault: Fault) -> Answer | None:
    """Return the answer as the fault leaves it, None where nothing is to be sent.

    `answer` is the true one, None where the call was left undone.
    """
    if fault.kind == "status":
        return _scripted(fault)
    if answer is None or fault.kind in _SILENT:
        return None
    match fault.kind:
        case "garbage":
            return _garbage(answer, fault.shape)
        case "alter":
            return _altered(answer, fault)
        case "bomb":
            return _bomb(answer, fault)
        case _:  # a fault of sending, not of the answer
            return answer


def _scripted(fault: Fault) -> Answer:
    answer = scripted_error(fault.status)
    if isinstance(fault.body, str):
        answer = replace(answer, content=fault.body.encode("utf-8", "replace"))
        answer = replace(answer, content_type="text/html; charset=utf-8")
    elif fault.body is not None:
        answer = replace(answer, content=fault.body)
    elif fault.status < 400:
        answer = replace(answer, content=b"")
    return replace(answer, headers={**answer.headers, **fault.headers})


def _garbage(answer: Answer, shape: str) -> Answer:
    whole = to_json(answer.content)
    if shape == "html":
        return replace(answer, content=_HTML, content_type="text/html; charset=utf-8")
    contents: dict[str, Any] = {
        "text": b"OK",
        "binary": bytes(range(128, 256)),
        "empty": b"",
        "truncated": whole[: len(whole) // 2],
        "array": [answer.content],
    }
    return replace(answer, content=contents[shape])


def _altered(answer: Answer, fault: Fault) -> Answer:
    content = {**answer.content, **fault.set}
    kept = {name: value for name, value in content.items() if name not in fault.drop}
    return replace(answer, content=kept)


def _bomb(answer: Answer, fault: Fault) -> Answer:
    """Pad with blanks, which JSON allows: a reader without a limit takes it all."""
    whole = to_json(answer.content)
    if not fault.gzip:
        return replace(answer, content=_MEGABYTE * fault.megabytes + whole)
    headers = {**answer.headers, "Content-Encoding": "gzip"}
    return replace(answer, content=_zipped(whole, fault.megabytes), headers=headers)


def _zipped(end: bytes, megabytes: int) -> bytes:
    """Return one gzip member (RFC 1952) of blanks and then `end`.

    Deflated blanks of a full flush may be followed by any deflated data, so the costly part is
    made once.
    """
    blanks, checksum = _deflated_blanks(megabytes)
    header = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    length = megabytes * len(_MEGABYTE) + len(end)
    trailer = struct.pack("<II", zlib.crc32(end, checksum), length)
    return header + blanks + zlib.compress(end, wbits=-15) + trailer


@lru_cache(maxsize=1)
def _deflated_blanks(megabytes: int) -> tuple[bytes, int]:
    """Return the deflated blanks, open at the end, and their CRC-32."""
    deflate, checksum = zlib.compressobj(wbits=-15), 0
    parts = []
    for _ in range(megabytes):
        parts.append(deflate.compress(_MEGABYTE))
        checksum = zlib.crc32(_MEGABYTE, checksum)
    parts.append(deflate.flush(zlib.Z_FULL_FLUSH))
    return b"".join(parts), checksum
