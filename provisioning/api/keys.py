"""``GET /.well-known/guestportal-keys.json``: the public keys of consent receipts."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from audit.sealing import receipt_keys

_HEADERS = {
    # Anybody may verify a receipt, in a page of any origin.
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=300",
}


@require_safe
def key_set(request: HttpRequest) -> JsonResponse:
    """Answer with the JWK set (RFC 7517, section 8.5.2)."""
    keys = receipt_keys.key_set()
    return JsonResponse(keys, content_type="application/jwk-set+json", headers=_HEADERS)
