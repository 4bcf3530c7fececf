from django.apps import AppConfig
from django.conf import settings


class GuestportalConfig(AppConfig):
    name = "guestportal"

    def ready(self) -> None:
        from guestportal import checks  # noqa: F401  (registers the system checks)

        if settings.CELERY_BROKER_URL:  # without a broker nobody pays for the import
            from guestportal import celery  # noqa: F401  (the app that tasks belong to)
