"""Whether the platform takes an attribute: that is known above `crm`, so a hook is asked."""

from collections.abc import Callable

_refusal: Callable[[str, str], str] | None = None


class Unchecked(Exception):
    """The platform could not be asked; the message says why."""


def refuse_with(*, refusal: Callable[[str, str], str]) -> None:
    """Ask `refusal` with a target and its value type; it returns what `refusal` here returns."""
    global _refusal
    _refusal = refusal


def refusal(*, target: str, value_type: str) -> str:
    """Return why no enabled mapping may have this target, empty where one may. Raises Unchecked."""
    return _refusal(target, value_type) if _refusal else ""
