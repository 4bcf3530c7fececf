"""The keys that sign consent receipts, named as JOSE names them (RFC 7515, 7517, 7638, 8037).

A receipt's key is derived from the signing seed for receipts alone, so that a seal and a receipt
can never stand for one another. The log keeps each key that was used, vouched for by the log's own
key: a receipt outlives the key that made it.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from django.db import transaction

from audit import log
from audit.models import AuditEvent
from audit.sealing import signing

TYPE = "guestportal-receipt+jwt"
ANNOUNCED = "receipt.key_announced"
_INFO = b"guestportal receipt"


def sign(*, content: Mapping[str, Any]) -> str:
    """Return `content`, a JSON object, as a compact JWS of our key, which the log then knows.

    Raises SigningKeyMissing.
    """
    _announce()
    header = {"alg": "EdDSA", "kid": own_thumbprint(), "typ": TYPE}
    signed = ".".join(_base64url(log.canonical(part).encode()) for part in (header, content))
    signature = signing.derived_key(info=_INFO).sign(signed.encode())
    return f"{signed}.{_base64url(signature)}"


def own_thumbprint() -> str:
    """Return the thumbprint of our key, as `thumbprint` makes it. Raises SigningKeyMissing."""
    return thumbprint(x=_own())


def thumbprint(*, x: str) -> str:
    """Return the RFC 7638 thumbprint of the public key `x`: 43 characters of base64url."""
    return _base64url(sha256(log.canonical(_members(x)).encode()).digest())


def key_set() -> dict[str, list[dict[str, str]]]:
    """Return the public keys, our own first, as a JWK set; without a signing key the earlier ones.

    Earlier keys are those that the log holds under a signature by a key of ``AUDIT_VERIFY_KEYS``.
    """
    try:
        own = [_own()]
    except signing.SigningKeyMissing:
        own = []
    return {"keys": [_jwk(x) for x in dict.fromkeys([*own, *_announced()])]}


def _announce() -> None:
    """Have our key in the log, once. Two that meet here both write it, which does no harm."""
    x = _own()
    if x in _announced():
        return
    made = signing.sign(message=_statement(x), purpose="receipt key")
    data = {"x": x, "key_id": made.key_id, "signature": made.signature}
    with transaction.atomic():
        log.record(kind=ANNOUNCED, data=data)


def _announced() -> Iterator[str]:
    """Yield the keys in the log; one that no key of the log vouches for was put there by others."""
    events = AuditEvent.objects.filter(kind=ANNOUNCED).order_by("id")
    for body in events.values_list("body", flat=True):
        data = json.loads(body)["data"]
        signature = signing.Signature(key_id=data["key_id"], signature=data["signature"])
        if signing.verify(
            message=_statement(data["x"]), purpose="receipt key", signature=signature
        ):
            yield data["x"]


def _own() -> str:
    return _base64url(signing.derived_key(info=_INFO).public_key().public_bytes_raw())


def _jwk(x: str) -> dict[str, str]:
    return {**_members(x), "alg": "EdDSA", "kid": thumbprint(x=x), "use": "sig"}


def _members(x: str) -> dict[str, str]:
    """Return what a thumbprint is over (RFC 8037, section 2)."""
    return {"crv": "Ed25519", "kty": "OKP", "x": x}


def _statement(x: str) -> bytes:
    return log.canonical(_members(x)).encode()


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
