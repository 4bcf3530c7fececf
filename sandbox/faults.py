"""Fault scripts: their format, checked, and which rule applies to which call.

The format is described in the package's docstring.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

ENDPOINTS = ("oauth", "guests", "tokens")
SHAPES = ("html", "text", "binary", "empty", "truncated", "array")


class FaultScriptError(ValueError):
    """The script is not one; the message names the rule, counted from 1, and the field."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule of a script. Times are in seconds; only the fields of its kind mean anything."""

    kind: str
    endpoint: str = "any"
    first: int = 1
    last: int | None = None
    every: int = 1
    seconds: float = 0
    process: bool = True
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    shape: str = "html"
    set: dict[str, Any] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    megabytes: int = 80
    gzip: bool = True
    part: str = "body"
    bytes: int = 1
    interval: float = 1
    version: str = "HTTP/7.9"

    def matches(self, *, endpoint: str, number: int, number_of_all: int) -> bool:
        """Tell whether it applies to call `number` of `endpoint`, the `number_of_all`th at all."""
        if self.endpoint not in ("any", endpoint):
            return False
        counted = number_of_all if self.endpoint == "any" else number
        in_range = self.first <= counted and (self.last is None or counted <= self.last)
        return in_range and counted % self.every == 0


class FaultScript:
    """The rules in force, and the numbers of the calls since they were put in place."""

    def __init__(self, *, faults: Sequence[Fault] = ()) -> None:
        self._faults = tuple(faults)
        self._numbers: Counter[str] = Counter()

    def next(self, *, endpoint: str) -> Fault | None:
        """Count one call and return the fault for it, if any."""
        if not self._faults or endpoint not in ENDPOINTS:
            return None
        self._numbers[endpoint] += 1
        number, number_of_all = self._numbers[endpoint], self._numbers.total()
        for fault in self._faults:
            if fault.matches(endpoint=endpoint, number=number, number_of_all=number_of_all):
                return fault
        return None


def parse_script(*, text: str | bytes) -> tuple[Fault, ...]:
    """Return the rules of a JSON fault script.

    Raises:
        FaultScriptError: not JSON, not an array, or a rule with an unknown or wrong field.
    """
    try:
        rules = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise FaultScriptError(f"not JSON: {exc}") from exc
    if not isinstance(rules, list):
        raise FaultScriptError("must be an array of rules")
    return tuple(_parse_rule(rule, f"rule {n}") for n, rule in enumerate(rules, start=1))


def _parse_rule(rule: object, where: str) -> Fault:
    if not isinstance(rule, dict):
        raise FaultScriptError(f"{where}: must be an object")
    kind = rule.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise FaultScriptError(f"{where}: kind must be one of {', '.join(_KINDS)}")
    allowed = {*_COMMON, *_KINDS[kind]}
    for name, value in rule.items():
        if name not in allowed:
            raise FaultScriptError(
                f"{where}: {kind} has no field {name!r}; it has {_list(allowed)}"
            )
        is_good, wanted = _FIELDS[name]
        if not is_good(value):
            raise FaultScriptError(f"{where}: {name} must be {wanted}")
    if kind == "status" and "status" not in rule:
        raise FaultScriptError(f"{where}: status must be given")
    return _build(rule, where)


def _build(rule: dict[str, Any], where: str) -> Fault:
    """Turn `call`, `calls` and `every` into one range, and fill in what the kind implies."""
    fields = dict(rule)
    if len(fields.keys() & {"call", "calls", "every"}) > 1:
        raise FaultScriptError(f"{where}: give one of call, calls, every")
    if "call" in fields:
        fields["first"] = fields["last"] = fields.pop("call")
    if "calls" in fields:
        fields["first"], fields["last"] = fields.pop("calls")
    if "drop" in fields:
        fields["drop"] = tuple(fields["drop"])
    fields.setdefault("process", "process" not in _KINDS[rule["kind"]])
    return Fault(**fields)


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 3600


def _is_range(value: Any) -> bool:
    if not (isinstance(value, list) and len(value) == 2 and _is_count(value[0])):
        return False
    first, last = value
    return last is None or (_is_count(last) and first <= last)


def _is_header_map(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(text, str) and text.isascii() and text.isprintable()
        for text in (*value.keys(), *value.values())
    )


def _is_megabytes(value: object) -> bool:
    return _is_count(value) and value in range(1025)


def _is_status(value: object) -> bool:
    return _is_count(value) and value in range(200, 1000)


def _is_version(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "kind": (lambda value: True, "a kind"),
    "endpoint": (lambda value: value in (*ENDPOINTS, "any"), "oauth, guests, tokens or any"),
    "call": (_is_count, "a call number from 1"),
    "calls": (_is_range, "[first, last] from 1, last may be null"),
    "every": (_is_count, "a whole number from 1"),
    "seconds": (_is_seconds, "seconds from 0 to 3600"),
    "process": (lambda value: isinstance(value, bool), "true or false"),
    "status": (_is_status, "a status from 200 to 999"),
    "headers": (_is_header_map, "an object of printable ASCII texts"),
    "body": (lambda value: True, "text or JSON"),
    "shape": (lambda value: value in SHAPES, ", ".join(SHAPES)),
    "set": (lambda value: isinstance(value, dict), "an object"),
    "drop": (_is_names, "an array of field names"),
    "megabytes": (_is_megabytes, "a whole number from 1 to 1024"),
    "gzip": (lambda value: isinstance(value, bool), "true or false"),
    "part": (lambda value: value in ("head", "body"), "head or body"),
    "bytes": (_is_count, "a whole number from 1"),
    "interval": (_is_seconds, "seconds from 0 to 3600"),
    "version": (_is_version, "printable ASCII text"),
}
_COMMON = ("kind", "endpoint", "call", "calls", "every", "seconds")
_KINDS: dict[str, tuple[str, ...]] = {
    "delay": (),
    "status": ("status", "headers", "body", "process"),
    "garbage": ("shape",),
    "alter": ("set", "drop"),
    "bomb": ("megabytes", "gzip"),
    "drip": ("part", "bytes", "interval"),
    "cut": (),
    "http_version": ("version",),
    "hang": ("process",),
    "close": ("process",),
    "reset": ("process",),
}
