"""Names our admin site to Django; apart from `guestportal.admin`, which needs the models."""

from django.contrib.admin.apps import AdminConfig


class SiteConfig(AdminConfig):
    default_site = "guestportal.admin.Site"
