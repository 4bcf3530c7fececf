"""System checks of what is stored: `migrate` and `check --database default` make them."""

from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db import Error

from crm.models import AttributeMapping
from provisioning import mappings


def mappings_are_sent(*, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Warn of each enabled mapping that the platform in use never gets."""
    if "default" not in (databases or []):
        return []
    try:
        left_out = mappings.left_out(mappings=AttributeMapping.objects.all())
    except Error:
        return []  # no database or no table yet: others say so better
    return [
        Warning(
            f"The attribute mapping {target} is never sent. {reason}",
            hint="Change or disable it in the admin; `manage.py messenger_setup --apply` replaces"
            " those that another platform ships.",
            id="provisioning.W001",
        )
        for target, reason in left_out.items()
    ]
