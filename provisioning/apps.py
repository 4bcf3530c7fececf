from django.apps import AppConfig
from django.core.checks import Tags, register


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    verbose_name = "Guests"

    def ready(self) -> None:
        from audit import triggers
        from crm import changes
        from provisioning import checks
        from provisioning.api import openapi  # noqa: F401  (drf-spectacular finds the descriptions)
        from provisioning.models import Notice, Review
        from provisioning.subjects import holds

        triggers.protect(model=Notice)
        triggers.protect(model=Review, but_blanking="reason")
        changes.guard_deletions_with(guard=holds.forbids_deletion)
        register(checks.mappings_are_sent, Tags.database)
