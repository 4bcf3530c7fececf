"""JSON as a careful reader takes it: UTF-8, no repeated key, no outlandish number or nesting.

Python's ``json`` keeps the last of repeated keys in silence, accepts NaN and guesses UTF-16;
RFC 8259 asks for UTF-8 and calls repeated keys unpredictable.
"""

import json
import math
from collections.abc import Collection, Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from guestportal.api.body import is_too_large

MAX_DEPTH = 16
MAX_DIGITS = 20
INCOMPLETE = "The request body is incomplete."


class BodyTooLarge(APIException):
    """More came than this address takes, in chunks: no length had announced it."""

    status_code = 413
    default_code, default_detail = "too_large", "The request body is too large."


class StrictJSONParser(BaseParser):
    """Parse ``application/json``; anything doubtful is a ParseError with a sentence of ours."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the decoded value; of no body, what DRF takes for none.

        Raises BodyTooLarge, or ParseError, never with text from the body.
        """
        try:
            content = stream.read()
        except OSError as exc:
            if is_too_large(exc):
                raise BodyTooLarge from exc
            raise ParseError(INCOMPLETE) from exc
        if not content:
            return {}
        try:
            value = json.loads(
                content.decode("utf-8"),
                object_pairs_hook=_unique,
                parse_constant=_refuse,
                parse_int=_integer,
                parse_float=_finite,
            )
        except _Doubtful as exc:
            raise ParseError(str(exc)) from exc
        except (ValueError, RecursionError) as exc:
            raise ParseError("The request body is not UTF-8 encoded JSON.") from exc
        if _is_deeper(value, MAX_DEPTH):
            raise ParseError("The request body is nested too deeply.")
        return value


class _Doubtful(Exception):
    """JSON that parses but that no careful client sends; the message is for the client."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Doubtful("The request body gives a key twice.")
    return value


def _refuse(name: str) -> float:
    raise _Doubtful("The request body holds a number that JSON does not know.")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _Doubtful("The request body holds a number that is too large.")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if len(digits) > 3 * MAX_DIGITS or not math.isfinite(number):
        raise _Doubtful("The request body holds a number that is too large.")
    return number


def _is_deeper(value: Any, depth: int) -> bool:
    """Tell whether arrays and objects stand more than `depth` deep; level by level, since the
    parser takes nestings on which a recursion here would break."""
    level = [value]
    for _ in range(depth):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return any(isinstance(node, dict | list) and node for node in level)


def _children(node: Any) -> Collection[Any]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()
