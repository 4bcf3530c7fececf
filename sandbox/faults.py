"""Fault scripts: their format, checked, and which rule applies to which call.

The format is described in the package's docstring.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

_SHAPES = ("html", "text", "binary", "empty", "truncated", "array")


class InvalidFaultScript(ValueError):
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
    drop: Sequence[str] = ()
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


NO_FAULT = Fault(kind="")


class FaultScript:
    """The rules in force, and the numbers of the calls since they were put in place."""

    def __init__(self, *, faults: Sequence[Fault]) -> None:
        self._faults = faults
        self._numbers: Counter[str] = Counter()

    def next(self, *, endpoint: str) -> Fault:
        """Count one call and return the fault for it."""
        self._numbers[endpoint] += 1
        number, number_of_all = self._numbers[endpoint], self._numbers.total()
        for fault in self._faults:
            if fault.matches(endpoint=endpoint, number=number, number_of_all=number_of_all):
                return fault
        return NO_FAULT


def parse_script(*, text: str | bytes, endpoints: Sequence[str]) -> tuple[Fault, ...]:
    """Return the rules of a JSON fault script.

    Raises InvalidFaultScript where it is not JSON, not an array, or a rule is wrong.
    """
    try:
        rules = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidFaultScript(f"not JSON: {exc}") from exc
    if not isinstance(rules, list):
        raise InvalidFaultScript("must be an array of rules")
    names = [*endpoints, "any"]
    common = {**_COMMON, "endpoint": (names.__contains__, f"{', '.join(endpoints)} or any")}
    return tuple(_parse_rule(rule, f"rule {n}", common) for n, rule in enumerate(rules, start=1))


def _parse_rule(rule: object, where: str, common: "dict[str, _Check]") -> Fault:
    if not isinstance(rule, dict):
        raise InvalidFaultScript(f"{where}: must be an object")
    kind = rule.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InvalidFaultScript(f"{where}: kind must be one of {', '.join(_KINDS)}")
    fields = {**common, **_KINDS[kind]}
    for name, value in rule.items():
        if name not in fields:
            names = ", ".join(sorted(fields))
            raise InvalidFaultScript(f"{where}: {kind} has no field {name!r}; it has {names}")
        is_good, wanted = fields[name]
        if not is_good(value):
            raise InvalidFaultScript(f"{where}: {name} must be {wanted}")
    if kind == "status" and "status" not in rule:
        raise InvalidFaultScript(f"{where}: status must be given")
    if len(rule.keys() & {"call", "calls", "every"}) > 1:
        raise InvalidFaultScript(f"{where}: give one of call, calls, every")
    return _build(rule)


def _build(rule: dict[str, Any]) -> Fault:
    """Turn `call` and `calls` into one range, and fill in what the kind implies."""
    fields = {"process": "process" not in _KINDS[rule["kind"]], **rule}
    if "call" in fields:
        fields["first"] = fields["last"] = fields.pop("call")
    if "calls" in fields:
        fields["first"], fields["last"] = fields.pop("calls")
    return Fault(**fields)


def _is_whole(value: object, low: int = 1, high: float = math.inf) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_seconds(value: object) -> bool:
    return _is_whole(value, 0, 3600) or (isinstance(value, float) and 0 <= value <= 3600)


def _is_range(value: object) -> bool:
    if not (isinstance(value, list) and len(value) == 2 and _is_whole(value[0])):
        return False
    first, last = value
    return last is None or _is_whole(last, first)


def _is_printable(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _is_header_map(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_printable, (*value, *value.values())))


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_Check = tuple[Callable[[Any], bool], str]
_ANYTHING: _Check = (lambda value: True, "text or JSON")
_TRUTH: _Check = (lambda value: isinstance(value, bool), "true or false")
_COUNT: _Check = (_is_whole, "a whole number from 1")
_SECONDS: _Check = (_is_seconds, "seconds from 0 to 3600")
_COMMON: dict[str, _Check] = {
    "kind": _ANYTHING,
    "call": (_is_whole, "a call number from 1"),
    "calls": (_is_range, "[first, last] from 1, last may be null"),
    "every": _COUNT,
    "seconds": _SECONDS,
}
_KINDS: dict[str, dict[str, _Check]] = {
    "delay": {},
    "status": {
        "status": (lambda value: _is_whole(value, 200, 999), "a status from 200 to 999"),
        "headers": (_is_header_map, "an object of printable ASCII texts"),
        "body": _ANYTHING,
        "process": _TRUTH,
    },
    "garbage": {"shape": (_SHAPES.__contains__, ", ".join(_SHAPES))},
    "alter": {
        "set": (lambda value: isinstance(value, dict), "an object"),
        "drop": (_is_names, "an array of field names"),
    },
    "bomb": {
        "megabytes": (lambda value: _is_whole(value, 1, 1024), "a whole number from 1 to 1024"),
        "gzip": _TRUTH,
    },
    "drip": {
        "part": (("head", "body").__contains__, "head or body"),
        "bytes": _COUNT,
        "interval": _SECONDS,
    },
    "cut": {},
    "http_version": {"version": (_is_printable, "printable ASCII text")},
    "hang": {"process": _TRUTH},
    "close": {"process": _TRUTH},
    "reset": {"process": _TRUTH},
}
