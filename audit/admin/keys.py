"""The public keys, for whoever verifies without us: they are read out or copied from here."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from audit.sealing import receipt_keys, signing


def page(*, admin: Any) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return the view for the ModelAdmin `admin`."""

    def view(request: HttpRequest) -> HttpResponseBase:
        if not request.user.has_perm("audit.view_auditseal"):
            raise PermissionDenied
        context = admin.admin_site.each_context(request) | {
            "opts": admin.opts,
            "title": "Public keys",
            "log_keys": signing.public_keys(),
            "receipt_keys": receipt_keys.key_set()["keys"],
        }
        return TemplateResponse(request, "admin/audit/auditevent/keys.html", context)

    return view
