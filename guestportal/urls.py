"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/webchat/", include("provisioning.urls")),
    path("api/crm/", include("crm.urls")),
]
