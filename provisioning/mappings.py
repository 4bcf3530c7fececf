"""Attribute mappings beside what the platform in use takes, and the ones that it ships with."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from crm import changes, targets
from crm.models import AttributeMapping
from provisioning.genesys.checking import described
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError
from provisioning.genesys.platform import default_attributes, get_platform

# What each shipped mapping is made of; its name is the platform's (`DEFAULT_ATTRIBUTES`).
_SHIPPED = (
    {"source_kind": "field", "source": "tier", "value_type": "text"},
    {"source_kind": "field", "source": "previous_tickets", "value_type": "integer"},
    {"source_kind": "constant", "source": "guestportal-v1", "value_type": "text"},
)


def shipped(*, platform: str) -> list[dict[str, Any]]:
    """Return a platform's own mappings, in the form that `crm.changes` restores."""
    return [
        {"target": target, **made_of, "default": "", "enabled": True, "order": 10 * number}
        for number, (target, made_of) in enumerate(
            zip(default_attributes(platform=platform), _SHIPPED, strict=True), start=1
        )
    ]


def planned() -> tuple[list[dict[str, Any]], bool]:
    """Return the mappings that this platform should have, and whether they are to be replaced.

    Just those that another platform ships are replaced by its own; what staff have made of them
    stays.
    """
    stored = changes.stored_mappings()
    others = [name for name in settings.GENESYS_PLATFORMS if name != settings.GENESYS_PLATFORM]
    if any(stored == shipped(platform=name) for name in others):
        return shipped(platform=settings.GENESYS_PLATFORM), True
    return stored, False


def replace_by_shipped(*, actor: str) -> None:
    """Put the mappings of the platform in use in the place of all, with their event."""
    changes.restore_mappings(mappings=shipped(platform=settings.GENESYS_PLATFORM), actor=actor)


def in_force() -> dict[str, str]:
    """Return the names that are sent, each with the type of its values."""
    mappings = AttributeMapping.objects.filter(enabled=True)
    return {mapping.target: mapping.value_type for mapping in mappings}


def refusal(target: str, value_type: str) -> str:
    """Return why the platform would not take an attribute; `crm.targets` asks. Raises Unchecked."""
    platform = get_platform()
    if reason := platform.attribute_error(name=target, value_type=value_type):
        return reason
    deadline = Deadline(seconds=settings.GENESYS_DEADLINE)
    try:
        return platform.attribute_missing(name=target, deadline=deadline)
    except PlatformError as exc:
        raise targets.Unchecked(described(error=exc)) from exc


def left_out(*, mappings: Iterable[AttributeMapping]) -> Mapping[str, str]:
    """Return which enabled mappings are never sent, each with the reason; asks nobody."""
    platform = get_platform()
    reasons = {
        mapping.target: platform.attribute_error(name=mapping.target, value_type=mapping.value_type)
        for mapping in mappings
        if mapping.enabled
    }
    return {target: reason for target, reason in reasons.items() if reason}
