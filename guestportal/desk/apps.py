"""Names our admin site to Django; apart from `guestportal.desk.site`, which needs the models."""

from django.apps import apps
from django.contrib.admin.apps import AdminConfig


class SiteConfig(AdminConfig):
    default_site = "guestportal.desk.site.Site"

    def ready(self) -> None:
        apps.get_app_config("otp_totp").verbose_name = "One-time codes"
        super().ready()  # which finds every app's pages, Django's own too

        from guestportal.desk import accounts

        accounts.register()
