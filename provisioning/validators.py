"""What administrators may write into notices and holds."""

import re
from typing import Any

from django.core.exceptions import ValidationError

from backoffice.foreign import is_storable

# Shaped as RFC 5646 section 2.1 has it; whether the subtags are registered is not asked.
LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_LONGEST_PURPOSE = 10_000
# Not the hash of a session: what a hold says of its case stands in the audit log for good.
_REFERENCE = re.compile(r"(?![0-9A-Fa-f]{64}\Z)[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")


def validate_language(value: str) -> None:
    """Refuse what is not shaped as a language tag."""
    if not LANGUAGE.fullmatch(value):
        raise ValidationError("This is not a BCP 47 language tag.")


def validate_purposes(value: Any) -> None:
    """Refuse what is not a list of one or more sentences."""
    good = isinstance(value, list) and value
    if not good or not all(isinstance(one, str) and one.strip() for one in value):
        raise ValidationError('Purposes are a JSON list of texts: ["customer support by chat"].')
    if not all(is_storable(one, limit=_LONGEST_PURPOSE) for one in value):
        raise ValidationError("A purpose has a control character or is no text that can be stored.")


def validate_reference(value: str) -> None:
    """Refuse what may be more than the number of a case."""
    if not _REFERENCE.fullmatch(value):
        raise ValidationError(
            "A reference is 1 to 64 of A-Z, a-z, 0-9, ., _, / and -, and no session hash."
        )
