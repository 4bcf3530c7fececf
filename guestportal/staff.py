"""The staff: who belongs to it, and where they reach the admin.

Whoever is in a group is staff, and superusers are; Django's flag follows that.
"""

from django.conf import settings
from django.contrib.auth.models import User


def staff_from_groups(*, user: User) -> bool:
    """Give `user` staff status, or take it away, by the groups that they are in now.

    Superusers keep it. Returns whether anything changed; the audit log then says so. Call it after
    whatever changes groups, in the same transaction.
    """
    belongs = user.is_superuser or user.groups.exists()
    if user.is_staff is belongs:
        return False
    user.is_staff = belongs
    user.save(update_fields=["is_staff"])
    return True


def staff_address() -> str:
    """Return scheme and host under which staff reach the admin; empty where no setting says it."""
    origins = [each for each in settings.CSRF_TRUSTED_ORIGINS if "*" not in each]
    hosts = [each for each in settings.ALLOWED_HOSTS if each[:1] not in ("", "*", ".")]
    scheme = "https" if settings.SECURE_SSL_REDIRECT else "http"
    return next(iter([*origins, *(f"{scheme}://{host}" for host in hosts)]), "")
