"""The row by which ``/readyz`` finds out whether the database takes a write."""

from django.db import models


class WriteProbe(models.Model):
    """One row, written every few seconds while somebody asks; it says nothing about anybody."""

    written_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"written at {self.written_at}"
