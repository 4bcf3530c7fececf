"""Seals, newest first."""

from django.contrib import admin

from audit.models import AuditSeal
from backoffice.lists import ClosedAdmin


@admin.register(AuditSeal)
class AuditSealAdmin(ClosedAdmin):
    """Seals, to read."""

    list_display = ("number", "time", "count", "root", "key_id")
    ordering = ("-number",)
