"""The admin site: its dashboard, its sign-in with a one-time code, its own pages."""

import functools
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django_otp import devices_for_user, user_has_device
from django_otp.forms import OTPAuthenticationFormMixin

from backoffice import pages, unsent
from backoffice.foreign import is_storable
from guestportal.desk.unlocking import LONGEST_NAME
from guestportal.signin import policy, views

# A place's name, who may see it, its page, and what narrows that.
PLACES = (
    (
        "Review",
        "provisioning.view_guestcreation",
        "provisioning_guestcreation_changelist",
        "?tab=queue",
    ),
    ("People", "provisioning.export_subject", "provisioning_person", ""),
    ("Notices", "provisioning.view_notice", "provisioning_notice_changelist", ""),
    (
        "Deletions",
        "provisioning.view_platformdeletion",
        "provisioning_platformdeletion_changelist",
        "",
    ),
    ("CRM records", "crm.view_crmrecord", "crm_crmrecord_changelist", ""),
    ("Mappings", "crm.view_attributemapping", "crm_attributemapping_changelist", ""),
    ("Tokens", "crm.view_apitoken", "crm_apitoken_changelist", ""),
    ("Audit", "audit.view_auditevent", "audit_auditevent_changelist", ""),
)
CLOCKS_DIFFER = timedelta(minutes=5)  # by less than this, whatever the machine


class SignInForm(OTPAuthenticationFormMixin, AdminAuthenticationForm):  # type: ignore[misc]
    """Name, password and, for those who have enrolled or where all must, a one-time code."""

    otp_token = forms.CharField(
        label="One-time code",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    error_messages = AdminAuthenticationForm.error_messages | {
        "invalid_login": "Please enter the correct username, password and, if you have one, your "
        "one-time code. After several wrong ones, wait a minute before you try again."
    }

    def clean_username(self) -> str:
        """Take only what can be a name: a longer one would be written down as a failed sign-in."""
        name: str = self.cleaned_data["username"]
        if not is_storable(name, limit=LONGEST_NAME):
            raise self.get_invalid_login_error()
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if self.errors:
            return cleaned  # a field was left empty: nobody has been authenticated
        user = self.get_user()
        if not policy.may_sign_in_by_password(user=user):
            raise self._refused(user)
        if user_has_device(user):
            self._clean_code(user)
        elif settings.ADMIN_MFA == "required":
            raise self._refused(user)
        return cleaned

    def confirm_login_allowed(self, user: Any) -> None:
        """Refuse who is not of the staff, as a wrong password is."""
        if not user.is_staff:
            raise self._refused(user)
        super().confirm_login_allowed(user)

    def _clean_code(self, user: Any) -> None:
        """Check the one-time code; all that may be wrong with it is one refusal."""
        try:
            self.clean_otp(user)
        except forms.ValidationError as exc:
            raise self._refused(user) from exc

    def _refused(self, user: Any) -> forms.ValidationError:
        """Count a refusal after a right password as one after a wrong password; return its error.

        Neither the sentence nor the lockout may tell that the password was right.
        """
        name = {"username": user.get_username()}
        user_login_failed.send(sender=__name__, credentials=name, request=self.request)
        return self.get_invalid_login_error()

    def _chosen_device(self, user: Any) -> Any:
        """Return the user's device: `enrol_mfa` gives everybody one, so nobody has to choose."""
        device: Any = next(iter(devices_for_user(user, for_verify=True)), None)
        failed_at = device and device.throttling_failure_timestamp
        if failed_at and failed_at > timezone.now() + CLOCKS_DIFFER:
            # By a clock that has been corrected since: until then it would let nobody in. Not for
            # less: by turns on two machines a robot would start its waits anew each time.
            device.throttle_reset()
        return device

    def _update_form(self, user: Any) -> None:
        """Leave the form as it is: the library's own would write the password into the page."""


class Site(AdminSite):
    """Django's admin under our name; each app registers its own models in its ``admin``."""

    site_header = site_title = "guestportal"
    index_title = "Overview"
    login_form = SignInForm
    site_url = None
    empty_value_display = "–"
    enable_nav_sidebar = False  # the header holds the few places there are

    def has_permission(self, request: HttpRequest) -> bool:
        """Let staff in who signed in as ADMIN_LOGIN and ADMIN_MFA want it."""
        return super().has_permission(request) and policy.may_enter(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Give every page what all of them need.

        Values that it cannot use are refused, its times are those of the staff's zone, and what was
        typed before a session ran out is kept.
        """
        page = super().admin_view(pages.usable(view), cacheable)

        @functools.wraps(page)
        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            signed_out = not self.has_permission(request)
            with timezone.override(settings.STAFF_TIME_ZONE):
                if signed_out and (text := unsent.typed(request)):
                    return self._sign_in_again(request, text)
                response: HttpResponseBase = page(request, *args, **kwargs)
                return response

        return entered

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Sign somebody in, with what they had typed before their session ran out."""
        kept = {unsent.FIELD: request.POST.get(unsent.FIELD, "")} | (extra_context or {})
        kept |= policy.login_page(request)
        response = super().login(request, kept)
        if request.method == "POST" and response.status_code == 302:
            unsent.keep(request, path=request.POST.get("next", ""))
        return response

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Sign somebody out; at the identity provider too, if it let them in."""
        return views.sign_out(request) or super().logout(request, extra_context)

    def _sign_in_again(self, request: HttpRequest, text: str) -> HttpResponse:
        """Show the sign-in in the place of a page, and keep `text` in its form."""
        page = {"next": request.get_full_path(), "app_path": reverse("admin:login")}
        request.method = "GET"
        return self.login(request, page | {unsent.FIELD: text})

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Show the dashboard."""
        from guestportal.desk import front_page  # here: it needs the models, and they this site

        return super().index(request, front_page.context(request=request) | (extra_context or {}))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the places of the header: the lists that the sender may see."""
        places = [
            {"name": name, "url": reverse(f"admin:{view}") + narrowed}
            for name, permission, view, narrowed in PLACES
            if self.has_permission(request) and request.user.has_perm(permission)
        ]
        return super().each_context(request) | {"places": places}

    def get_urls(self) -> list[Any]:
        from crm.admin.mappings import preview  # here, because it needs the models

        view = self.admin_view(preview)
        return [path("mapping-preview/", view, name="mapping_preview"), *super().get_urls()]
