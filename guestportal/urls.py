"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path

from guestportal.api import schema
from guestportal.serving import demo
from guestportal.signin import views as signin
from provisioning.api import keys

handler403 = "guestportal.desk.error_pages.forbidden"
handler404 = "guestportal.desk.error_pages.not_found"
handler500 = "guestportal.desk.error_pages.broken"
urlpatterns = [
    path(".well-known/guestportal-keys.json", keys.key_set, name="receipt-keys"),
    path("", demo.page, name="demo"),
    path("admin/oidc/start", signin.start, name="sign-in"),
    path("admin/oidc/callback", signin.callback, name="sign-in-callback"),
    path("admin/", admin.site.urls),
    path("api/docs", schema.docs, name="api-docs"),
    path("api/schema", schema.document, name="api-schema"),
    path("api/webchat/", include("provisioning.urls")),
    path("api/crm/", include("crm.sync.urls")),
]
