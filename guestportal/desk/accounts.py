"""Accounts and groups of the staff: Django's own pages, where staff status follows the groups."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from guestportal.desk.staff_status import staff_from_groups

_FOLLOWS = (
    "Follows from the groups: whoever is in one is staff and may sign in here, whoever is in none"
    " is not. Superusers always are."
)


class StaffAccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """Who may sign in here."""

    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Personal info", {"fields": ("first_name", "last_name", "email")}),
        ("Permissions", {"fields": ("is_active", "staff_status", "is_superuser", "groups",
                                    "user_permissions")}),
        ("Important dates", {"fields": ("last_login", "date_joined")}),
    )  # fmt: skip
    readonly_fields = ("staff_status", "last_login", "date_joined")

    @admin.display(description="Staff status")
    def staff_status(self, user: User) -> SafeString:
        word = "Yes" if user.is_staff else "No"
        return format_html('{} <span class="help">{}</span>', word, _FOLLOWS)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        staff_from_groups(user=form.instance)


class StaffGroupAdmin(GroupAdmin):
    """What the staff may do. Who loses the last group with one loses staff status."""

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        members = list(obj.user_set.all())
        super().delete_model(request, obj)
        for member in members:
            staff_from_groups(user=member)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        for group in queryset:
            self.delete_model(request, group)


def register() -> None:
    """Put these pages in the place of Django's."""
    for model, page in ((User, StaffAccountAdmin), (Group, StaffGroupAdmin)):
        admin.site.unregister(model)
        admin.site.register(model, page)
