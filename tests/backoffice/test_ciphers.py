"""What was encrypted under an earlier SECRET_KEY can still be read, and nothing else."""

from typing import Any

import pytest
from cryptography.fernet import InvalidToken

from backoffice.private import cipher


def test_reads_what_an_earlier_key_sealed(settings: Any) -> None:
    settings.SECRET_KEY = "old" * 20
    sealed = cipher(purpose=b"test").encrypt(b"kept")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, ["older" * 12, "old" * 20]

    assert cipher(purpose=b"test").decrypt(sealed) == b"kept"


def test_seals_under_the_key_of_today(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, ["old" * 20]
    sealed = cipher(purpose=b"test").encrypt(b"kept")
    settings.SECRET_KEY_FALLBACKS = []

    assert cipher(purpose=b"test").decrypt(sealed) == b"kept"


@pytest.mark.parametrize("purpose", [b"test", b"another"])
def test_opens_nothing_without_the_key_or_for_another_purpose(
    purpose: bytes, settings: Any
) -> None:
    sealed = cipher(purpose=b"test").encrypt(b"kept")
    if purpose == b"test":
        settings.SECRET_KEY = "new" * 20

    with pytest.raises(InvalidToken):
        cipher(purpose=purpose).decrypt(sealed)
