from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    verbose_name = "Guests"

    def ready(self) -> None:
        from audit import triggers
        from crm import changes
        from provisioning.api import openapi  # noqa: F401  (drf-spectacular finds the descriptions)
        from provisioning.models import Notice, Review
        from provisioning.subjects import holds

        for model in (Notice, Review):
            triggers.protect(model=model)
        changes.guard_deletions_with(guard=holds.forbids_deletion)
