"""Who may call the sync API: a token's user, as far as that user's model permissions go."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import DjangoModelPermissions
from rest_framework.request import Request

from crm import tokens

_SCHEMES = (b"bearer", b"token")  # RFC 6750, and what clients of other DRF services send


class TokenAuthentication(BaseAuthentication):
    """Accept ``Authorization: Bearer <token>``; no cookie, so nothing a page could ride on."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() not in _SCHEMES:
            return None
        user = tokens.user_of(token=token.strip().decode("latin-1"))
        if user is None:
            raise AuthenticationFailed
        return user, None

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 says in WWW-Authenticate (RFC 9110 section 11.6.1)."""
        return 'Bearer realm="crm"'


class RecordPermissions(DjangoModelPermissions):
    """Reading needs the view permission; an upsert may do both, so it needs both."""

    perms_map = {
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
        "OPTIONS": ["%(app_label)s.view_%(model_name)s"],
        "POST": ["%(app_label)s.add_%(model_name)s", "%(app_label)s.change_%(model_name)s"],
        "PUT": ["%(app_label)s.add_%(model_name)s", "%(app_label)s.change_%(model_name)s"],
        "DELETE": ["%(app_label)s.delete_%(model_name)s"],
    }
