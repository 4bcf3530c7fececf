"""Faults that are in the answer's bytes: what was true becomes false, broken or huge."""

import zlib
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sandbox.errors import scripted_error
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
    answer = scripted_error(status=fault.status).with_headers(fault.headers)
    if isinstance(fault.body, str):
        return _html(answer, fault.body.encode("utf-8", "replace"))
    if fault.body is not None:
        return replace(answer, content=fault.body)
    return replace(answer, content=b"") if fault.status < 400 else answer


def _html(answer: Answer, content: bytes) -> Answer:
    return replace(answer, content=content, content_type="text/html; charset=utf-8")


def _garbage(answer: Answer, shape: str) -> Answer:
    whole = to_json(answer.content)
    if shape == "html":
        return _html(answer, _HTML)
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
    zipped = replace(answer, content=_zipped(whole, fault.megabytes))
    return zipped.with_headers({"Content-Encoding": "gzip"})


def _zipped(end: bytes, megabytes: int) -> bytes:
    """Return blanks and then `end`; a copy of the compressor goes on where the blanks ended."""
    blanks, ended = _zipped_blanks(megabytes)
    compressor = ended.copy()
    return b"".join((blanks, compressor.compress(end), compressor.flush()))


@lru_cache(maxsize=1)  # the costly part
def _zipped_blanks(megabytes: int) -> tuple[bytes, Any]:
    compressor = zlib.compressobj(wbits=31)  # gzip (RFC 1952)
    return b"".join(compressor.compress(_MEGABYTE) for _ in range(megabytes)), compressor
