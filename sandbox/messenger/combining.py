"""How what an enrich provides is combined with what is known: `fieldRules`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_IDS = 10
_ACTIONS = (None, "PreferProvided", "PreferExisting", "AlwaysUseProvided")
_ARRAY_ACTIONS = (None, "Fill", "Extend", "Replace")
_OBJECTS = ("$.customFields", "$.address")  # combined part by part; for customFields that is ours


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The actions of a request; a missing field of it counts as null."""

    action: str
    array_action: str
    by_path: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, rules: Mapping[str, Any]) -> "FieldRules":
        """Return the rules of a checked request."""
        return cls(
            rules.get("defaultAction") or "PreferProvided",
            rules.get("defaultArrayAction") or "Fill",
            {rule["field"]: rule for rule in rules.get("rules") or ()},
        )

    def combine(
        self, known: Mapping[str, Any], provided: Mapping[str, Any], path: str = "$"
    ) -> dict[str, Any]:
        """Return the fields that come of it, without those that are null."""
        names = dict.fromkeys((*known, *provided))
        values = {
            name: self._value(known.get(name), provided.get(name), f"{path}.{name}")
            for name in names
        }
        return {name: value for name, value in values.items() if value is not None}

    def _value(self, known: Any, provided: Any, path: str) -> Any:
        rule = self.by_path.get(path, {})
        if path in _OBJECTS and known and provided:
            return self.combine(known, provided, path)
        if known and provided and path == "$.externalIds":
            return _array(known, provided, rule.get("arrayAction") or self.array_action)
        match rule.get("action") or self.action:
            case "AlwaysUseProvided":
                return provided
            case "PreferExisting":
                return provided if known is None else known
            case _:
                return known if provided is None else provided


def are_rules(rules: object) -> bool:
    """Tell whether this is a `fieldRules` that can be read."""
    if not isinstance(rules, dict):
        return False
    each = rules.get("rules") or []
    if not isinstance(each, list) or not all(isinstance(rule, dict) for rule in each):
        return False
    return (
        all(str(rule.get("field")).startswith("$.") for rule in each)
        and all(rule.get("action") in _ACTIONS for rule in each)
        and all(rule.get("arrayAction") in _ARRAY_ACTIONS for rule in each)
        and rules.get("defaultAction") in _ACTIONS
        and rules.get("defaultArrayAction") in _ARRAY_ACTIONS
    )


def _array(known: list[Any], provided: list[Any], action: str) -> list[Any]:
    """Fill and Extend are one here: what is new is put behind, up to the limit."""
    if action == "Replace":
        return provided
    return [*known, *(item for item in provided if item not in known)][:MAX_IDS]
