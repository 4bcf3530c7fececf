"""The admin site."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class Site(AdminSite):
    """Django's admin under our name; each app registers its own models in its ``admin.py``."""

    site_header = site_title = "guestportal"
    index_title = "Overview"


class SiteConfig(AdminConfig):
    default_site = "guestportal.admin.Site"
