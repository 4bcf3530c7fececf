"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path

from guestportal.api import schema
from guestportal.serving import demo

urlpatterns = [
    path("", demo.page, name="demo"),
    path("admin/", admin.site.urls),
    path("api/docs", schema.docs, name="api-docs"),
    path("api/schema", schema.document, name="api-schema"),
    path("api/webchat/", include("provisioning.urls")),
    path("api/crm/", include("crm.sync.urls")),
]
