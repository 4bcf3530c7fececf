"""Accounts, groups and one-time codes of the staff: Django's own pages, with what we ask of them.

Staff status follows the groups; sign-in is unlocked here; deleting asks first, as everywhere.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_otp.plugins.otp_totp.admin import TOTPDeviceAdmin
from django_otp.plugins.otp_totp.models import TOTPDevice

from backoffice.confirming import AsksToDelete, Question, ask
from guestportal.desk.unlocking import is_locked, unlock
from guestportal.models import StaffIdentity
from guestportal.staff import staff_from_groups
from provisioning.models import Review

_FOLLOWS = (
    "Follows from the groups: whoever is in one is staff and may sign in here, whoever is in none"
    " is not. Superusers always are."
)
# Django's two boxes with arrows need a script, two columns, and a label that says nothing.
_BOXES = {"widget": forms.CheckboxSelectMultiple}


class AccountAdmin(AsksToDelete, UserAdmin):  # type: ignore[type-arg]
    """Who may sign in here."""

    deletes, deleted = "Delete selected users", "Users deleted"
    actions = ("unlock_selected", "delete_selected")
    change_form_template = "admin/auth/user/account.html"
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Personal info", {"fields": ("first_name", "last_name", "email")}),
        ("Permissions", {"fields": ("is_active", "staff_status", "is_superuser", "groups")}),
        ("Further permissions", {"fields": ("user_permissions",), "classes": ("collapse",)}),
        ("Important dates", {"fields": ("last_login", "date_joined")}),
    )  # fmt: skip
    filter_horizontal = ()
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    readonly_fields = ("staff_status", "last_login", "date_joined")

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **_BOXES | kwargs)

    @admin.display(description="Staff status")
    def staff_status(self, user: User) -> SafeString:
        word = "Yes" if user.is_staff else "No"
        return format_html('{}<br><span class="help">{}</span>', word, _FOLLOWS)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        staff_from_groups(user=form.instance)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the account, and to superusers whether sign-in is locked."""
        user = self.get_object(request, object_id)
        may = self.has_unlock_permission(request)
        own = {
            "may_unlock": may,
            "locked": may and user and is_locked(request=request, user=user),
            "by_provider": StaffIdentity.objects.filter(user=user).exists(),
        }
        return super().change_view(request, object_id, form_url, own | (extra_context or {}))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.unlock_view)
        return [path("<int:key>/unlock/", view, name="auth_user_unlock"), *super().get_urls()]

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def unlock_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask, then open sign-in for one account."""
        if not self.has_unlock_permission(request):
            raise PermissionDenied
        user = get_object_or_404(User, pk=key)
        back = reverse("admin:auth_user_change", args=[user.pk])
        return self._ask_to_unlock(request, [user], back) or HttpResponseRedirect(back)

    @admin.action(permissions=["unlock"], description="Unlock sign-in of selected users")
    def unlock_selected(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        return self._ask_to_unlock(request, list(users.order_by("username")), self.list_address())

    def _ask_to_unlock(
        self, request: HttpRequest, users: Sequence[User], back: str
    ) -> HttpResponse | None:
        if page := ask(request=request, question=_of_unlocking(users, back)):
            return page
        for user in users:
            unlock(user=user)
        self.message_user(request, f"Sign-in unlocked: {len(users)}.", messages.SUCCESS)
        return None

    def obstacle(self, *, row: User) -> str:
        if Review.objects.filter(reviewer=row).exists():
            return "its reviews are kept for good. Take away its tick at “Active” instead."
        return ""

    def question(self, *, rows: Sequence[User]) -> Question:
        one = len(rows) == 1
        return Question(
            title="Delete a user" if one else "Delete users",
            button="Delete the user" if one else f"Delete {len(rows)} users",
            back=self.list_address(),
            word="delete",
            loses=True,
            happens=[
                "Nobody can sign in under the name any more; whoever is signed in is out at once.",
                "Their one-time codes, API tokens and history in the admin are deleted with them.",
                "The audit log keeps their number, and nobody can tell any more whose it was."
                " To keep the name there, take away the tick at “Active” instead.",
            ],
            stays=["What the audit log says they did."],
            concerns=[row.get_username() for row in rows],
        )


class RoleAdmin(AsksToDelete, GroupAdmin):
    """What the staff may do. Who loses the last group with one loses staff status."""

    deletes, deleted = "Delete selected groups", "Groups deleted"
    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **_BOXES | kwargs)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        members = list(obj.user_set.all())
        super().delete_model(request, obj)
        for member in members:
            staff_from_groups(user=member)

    def question(self, *, rows: Sequence[Group]) -> Question:
        one = len(rows) == 1
        return Question(
            title="Delete a group" if one else "Delete groups",
            button="Delete the group" if one else f"Delete {len(rows)} groups",
            back=self.list_address(),
            happens=[
                "Its members lose the rights that it gave; who is in no other group loses staff"
                " status and is out at once.",
                "`manage.py setup_roles` makes guestportal's own groups again, without members.",
            ],
            stays=["The accounts of its members."],
            concerns=[f"{row}, members: {row.user_set.count()}" for row in rows],
        )


class CodesAdmin(AsksToDelete, TOTPDeviceAdmin):  # type: ignore[misc]
    """Who signs in with one-time codes; `enrol_mfa` makes them."""

    deletes, deleted = "Delete selected one-time codes", "One-time codes deleted"
    readonly_fields = (*TOTPDeviceAdmin.readonly_fields, "throttling_failure_timestamp")

    def question(self, *, rows: Sequence[TOTPDevice]) -> Question:
        return Question(
            title="Delete one-time codes",
            button=f"Delete {len(rows)}",
            back=self.list_address(),
            happens=[
                "The app that makes the codes is of no use any more.",
                "With ADMIN_MFA=required nobody can sign in without; else the password is enough.",
                "`manage.py enrol_mfa` gives the person another.",
            ],
            concerns=[f"{row.user.get_username()}, {row.name}" for row in rows],
        )


def _of_unlocking(users: Sequence[User], back: str) -> Question:
    return Question(
        title="Unlock sign-in",
        button="Unlock sign-in",
        back=back,
        happens=[
            "Whoever knows the password can sign in at once, in every process.",
            "Wrong passwords so far are forgotten: five more close the name again.",
            "It is recorded who unlocked it.",
        ],
        stays=["Password, one-time codes and rights."],
        concerns=[user.get_username() for user in users],
    )


def register() -> None:
    """Put these pages in the place of Django's and django-otp's."""
    pages = ((User, AccountAdmin), (Group, RoleAdmin), (TOTPDevice, CodesAdmin))
    for model, page in pages:
        admin.site.unregister(model)
        admin.site.register(model, page)
