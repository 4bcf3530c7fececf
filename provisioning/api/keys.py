"""``GET /.well-known/guestportal-keys.json``: the public keys of consent receipts."""

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from audit.sealing import receipt_keys
from provisioning.time_left import answer_within

# Anybody may verify a receipt, in a page of any origin.
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
_KEPT = {"Cache-Control": "public, max-age=300"}
_COME_AGAIN = {"Cache-Control": "no-store", "Retry-After": "5"}


@require_safe
def key_set(request: HttpRequest) -> JsonResponse:
    """Answer with the JWK set (RFC 7517, section 8.5.2); 503 where the log cannot be read."""
    try:
        with answer_within(settings.GENESYS_DEADLINE):
            keys = receipt_keys.key_set()
    except (DatabaseError, InterfaceError):
        said = {"error": "The keys cannot be read right now.", "code": "storage_unavailable"}
        return JsonResponse(said, status=503, headers=_ANY_ORIGIN | _COME_AGAIN)
    kind = "application/jwk-set+json"
    return JsonResponse(keys, content_type=kind, headers=_ANY_ORIGIN | _KEPT)
