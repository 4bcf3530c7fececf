"""An ``Idempotency-Key``: how it is kept, and how its first answer can be read again.

The answer's CRM part is encrypted under a key made of SECRET_KEY and the client's raw key. The
raw key is not kept, so the database alone shows no address, and neither do we without the client.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import InvalidToken, MultiFernet
from django.db.models import Q
from django.utils import timezone

from backoffice.private import cipher
from provisioning.ledger.opening import KEY_FOR
from provisioning.models import IdempotencyKey


@dataclass(frozen=True)
class RepeatKey:
    """One client's key and the digest of the body it came with."""

    value: str = field(repr=False)
    body_hash: str

    @property
    def key_hash(self) -> str:
        """Return the key as it is stored."""
        return hashlib.sha256(b"idempotency-key\0" + self.value.encode()).hexdigest()

    def seal(self, attributes: dict[str, Any]) -> str:
        """Return `attributes` encrypted for whoever repeats this key."""
        return self._cipher().encrypt(json.dumps(attributes).encode()).decode()

    def recall(self, sealed: str) -> dict[str, Any] | None:
        """Return what `seal` was given; None where it cannot be read (SECRET_KEY is another)."""
        try:
            return dict(json.loads(self._cipher().decrypt(sealed.encode())))
        except InvalidToken:
            return None

    def _cipher(self) -> MultiFernet:
        return cipher(purpose=b"replay\0" + self.value.encode())


def forget_idempotency_keys() -> int:
    """Delete the keys that no repetition can use any more; return how many.

    Those that a clock far ahead of ours dated go too.
    """
    now = timezone.now()
    over = Q(created_at__lt=now - KEY_FOR) | Q(created_at__gt=now + KEY_FOR)
    return IdempotencyKey.objects.filter(over).delete()[0]
