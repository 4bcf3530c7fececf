"""The fields of a contact schema: which keys and values there can be, and how one is written.

A key ends in its core type, as in `tier_text`: documented for the schemas of workitems (the
vendor's Terraform provider), inferred for those of contacts. So are the core types.
"""

import re
from collections.abc import Mapping
from typing import Any

# Each core type with the value types of a mapping that it takes. A tag is a list, which none is.
_TAKES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("text", "longtext", "url", "identifier", "enum"), ("text",)),
    **dict.fromkeys(("date", "datetime"), ("text",)),
    "integer": ("integer",),
    "number": ("integer", "number"),
    "checkbox": ("boolean",),
    "tag": (),
}
_KEY = re.compile(f"[a-z0-9_]+_({'|'.join(_TAKES)})")
_NEED_OPTIONS = ("enum", "tag")
_VALUE_TYPES = {str: "text", int: "integer", float: "number", bool: "boolean"}


def problem(*, key: str, value_type: str) -> str:
    """Return why no field has this key and takes such values; empty where one can."""
    if not _KEY.fullmatch(key):
        return (
            "No field of a contact can have this name: it must be of small letters, digits and _ "
            "and end in its type, as tier_text, visits_integer, score_number or vip_checkbox."
        )
    if value_type not in _TAKES[_core_type(key)]:
        return f"A field that ends in _{_core_type(key)} takes no value of the type {value_type}."
    return ""


def takes(*, key: str, value: object) -> bool:
    """Tell whether there can be a field of this key that takes the value."""
    return not problem(key=key, value_type=_VALUE_TYPES[type(value)])


def can_be_made(*, key: str) -> bool:
    """Tell whether a field is known by its key alone."""
    return bool(_KEY.fullmatch(key)) and not needs_options(key=key)


def needs_options(*, key: str) -> bool:
    """Tell whether a field has options, which people choose."""
    return bool(_KEY.fullmatch(key)) and _core_type(key) in _NEED_OPTIONS


def remedy(*, key: str) -> str:
    """Return what an operator does about a field that the schema lacks."""
    if needs_options(key=key):
        return "Its options are yours to choose: make it in the platform's admin console."
    return "manage.py messenger_setup --apply adds it, and says which version to set."


def written(*, key: str) -> dict[str, Any]:
    """Return the field as a schema has it."""
    title = key.rpartition("_")[0].replace("_", " ")
    return {"allOf": [{"$ref": f"#/definitions/{_core_type(key)}"}], "title": title}


def _core_type(key: str) -> str:
    return key.rpartition("_")[2]
