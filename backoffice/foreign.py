"""Text from outside, made storable: the one place that looks at it before a database does.

PostgreSQL has no text with U+0000, neither database one with a lone surrogate, and each column has
its length. What is not of the shape that is asked for is no text at all.
"""

import re

# Unicode category Cc, and surrogates that stand alone.
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def storable(value: object, *, limit: int, shape: str = "") -> str:
    """Return `value` without what cannot be stored, at most `limit` characters of it.

    Empty where it is no text or, with the pattern `shape`, not in full of that shape.
    """
    if not isinstance(value, str):
        return ""
    if shape and not re.fullmatch(shape, value):
        return ""
    return _UNSTORABLE.sub("", value)[:limit]


def is_storable(value: str, *, limit: int) -> bool:
    """Tell whether `value` can be stored, and so be looked for, as it is."""
    return len(value) <= limit and not _UNSTORABLE.search(value)
