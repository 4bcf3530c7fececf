from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    verbose_name = "Guests"

    def ready(self) -> None:
        from audit import triggers
        from provisioning.api import openapi  # noqa: F401  (drf-spectacular finds the descriptions)
        from provisioning.models import Notice, Review

        for model in (Notice, Review):
            triggers.protect(model=model)
