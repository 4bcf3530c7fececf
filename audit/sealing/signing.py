"""Ed25519 signatures (RFC 8032) with a key that never enters the database.

Each signature is over ``guestportal <purpose>\\n`` and then the message, so that nobody can pass
off a signature made for one purpose as one for another. Where a standard leaves no room for that
line, a key derived for one purpose alone signs instead.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Receipts of earlier releases were signed for "receipt"; docs/receipts.md verifies one.
Purpose = Literal["seal", "receipt", "receipt key", "bundle", "restored"]


class SigningKeyMissing(RuntimeError):
    """``AUDIT_SIGNING_KEY`` is not set, so nothing can be sealed, signed or exported."""

    def __init__(self) -> None:
        super().__init__("AUDIT_SIGNING_KEY is not set; make one with `openssl rand -hex 32`")


@dataclass(frozen=True)
class Signature:
    """Which key signed (the first 16 hex digits of its SHA-256), and the signature in hex."""

    key_id: str
    signature: str


def sign(*, message: bytes, purpose: Purpose) -> Signature:
    """Sign `message` for `purpose` with our key. Raises SigningKeyMissing."""
    signature = _private_key().sign(_bound(message, purpose))
    return Signature(key_id=key_id(), signature=signature.hex())


def verify(*, message: bytes, purpose: Purpose, signature: Signature) -> bool:
    """Tell whether a key we know, our own or one of ``AUDIT_VERIFY_KEYS``, made `signature`."""
    public = public_keys().get(signature.key_id)
    if public is None:
        return False
    try:
        raw = bytes.fromhex(signature.signature)
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(
            raw, _bound(message, purpose)
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def derived_key(*, info: bytes) -> Ed25519PrivateKey:
    """Return the key that is made of ours for `info` alone (HKDF-SHA-256, RFC 5869).

    Nobody can tell from one that it belongs to the other. Raises SigningKeyMissing.
    """
    return _derived(_seed(), info)


def public_key_hex() -> str:
    """Return our public key: 64 hex digits. Raises SigningKeyMissing."""
    return _private_key().public_key().public_bytes_raw().hex()


def key_id(*, public_key: str | None = None) -> str:
    """Return the short name of `public_key`, or of our own: 16 hex digits.

    Raises SigningKeyMissing where our own is asked for and there is none.
    """
    return sha256(bytes.fromhex(public_key or public_key_hex())).hexdigest()[:16]


def public_keys() -> dict[str, str]:
    """Return the public keys we believe, by key id; our own first."""
    own = [public_key_hex()] if settings.AUDIT_SIGNING_KEY else []
    keys = [*own, *(key.lower() for key in settings.AUDIT_VERIFY_KEYS)]
    return {key_id(public_key=key): key for key in keys}


def _private_key() -> Ed25519PrivateKey:
    return _from_seed(_seed())


def _seed() -> str:
    if not settings.AUDIT_SIGNING_KEY:
        raise SigningKeyMissing
    return str(settings.AUDIT_SIGNING_KEY)


@lru_cache(maxsize=2)
def _from_seed(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))


@lru_cache(maxsize=2)
def _derived(seed: str, info: bytes) -> Ed25519PrivateKey:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=info)
    return Ed25519PrivateKey.from_private_bytes(derived.derive(bytes.fromhex(seed)))


def _bound(message: bytes, purpose: Purpose) -> bytes:
    return f"guestportal {purpose}\n".encode() + message
