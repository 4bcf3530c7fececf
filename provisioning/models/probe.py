"""The rows by which the service tells that it can write, and that it runs."""

from django.db import models


class WriteProbe(models.Model):
    """Row 1 is written by ``/readyz``, every few seconds while somebody asks; 2 by housekeeping.

    They say nothing about anybody (`provisioning.health`).
    """

    written_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"written at {self.written_at}"
