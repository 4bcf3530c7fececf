"""What has outlived its purpose is deleted."""

from django.utils import timezone

from provisioning.ledger.opening import KEY_FOR
from provisioning.models import IdempotencyKey


def forget_idempotency_keys() -> int:
    """Delete the keys that no repetition can use any more; return how many."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEY_FOR).delete()[0]
