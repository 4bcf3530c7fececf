"""What the project itself keeps: how often sign-in was unlocked for a member of staff."""

from django.conf import settings
from django.db import models


class Unlocking(models.Model):
    """How many times sign-in was opened again under a name; see `guestportal.desk.unlocking`."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    times = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.times}"
