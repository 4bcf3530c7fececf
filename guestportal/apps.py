from django.apps import AppConfig
from django.conf import settings
from django.core.signals import request_started
from django.db import reset_queries


class GuestportalConfig(AppConfig):
    name = "guestportal"

    def ready(self) -> None:
        from guestportal import checks  # noqa: F401  (registers the system checks)

        if not settings.DEBUG:  # only then are queries kept; to forget none took 3 % of an init
            request_started.disconnect(reset_queries)
        if settings.CELERY_BROKER_URL:  # without a broker nobody pays for the import
            from guestportal import celery  # noqa: F401  (the app that tasks belong to)
