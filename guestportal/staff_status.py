"""Who is staff: whoever is in a group, and superusers. Django's flag follows that."""

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
