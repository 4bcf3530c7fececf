from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "CRM"

    def ready(self) -> None:
        from crm.sync import openapi  # noqa: F401  (drf-spectacular finds the descriptions)
