from django.apps import AppConfig


class GuestportalConfig(AppConfig):
    name = "guestportal"

    def ready(self) -> None:
        from guestportal import checks  # noqa: F401  (registers the system checks)
