"""The core types of which a contact schema's fields are made, and the values they take.

A field's key ends in its core type, as in `tier_text`: documented for the schemas of workitems,
taken over here. So are the names of the types.
"""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from typing import Any


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or isinstance(value, float)


def _is_date(value: object) -> bool:
    return isinstance(value, str) and bool(re.match(r"\d{4}-\d\d-\d\d", value))


_TYPES: Mapping[str, Callable[[object], bool]] = {
    "text": _is_text,
    "longtext": _is_text,
    "url": _is_text,
    "identifier": _is_text,
    "enum": _is_text,
    "date": _is_date,
    "datetime": _is_date,
    "integer": _is_whole,
    "number": _is_number,
    "checkbox": lambda value: isinstance(value, bool),
    "tag": lambda value: isinstance(value, list) and all(map(_is_text, value)),
}


def core_type(key: str) -> str:
    """Return what a key ends in, which may be no core type."""
    return key.rpartition("_")[2]


def property_of(key: str) -> dict[str, Any]:
    """Return the schema property of a field, as a client would write it."""
    return {"allOf": [{"$ref": f"#/definitions/{core_type(key)}"}], "title": key}


def is_property(key: str, value: object) -> bool:
    """Tell whether a schema may have this property: of a core type, which its key ends in."""
    wanted = {"$ref": f"#/definitions/{core_type(key)}"}
    return (
        core_type(key) in _TYPES
        and isinstance(value, dict)
        and value.get("allOf") == [wanted]
        and isinstance(value.get("title"), str)
    )


def takes(key: str, value: object) -> bool:
    """Tell whether a field of a known core type takes a value; each takes null."""
    return value is None or _TYPES[core_type(key)](value)


def field_keys(text: str) -> list[str]:
    """Return the keys of a command line's option.

    Raises ArgumentTypeError where one ends in no core type.
    """
    for key in text.split():
        if core_type(key) not in _TYPES:
            raise ArgumentTypeError(f"{key}: must end in one of _{', _'.join(_TYPES)}")
    return text.split()
