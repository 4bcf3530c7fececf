"""HTTP to pipeline and back. Nothing is decided here."""

from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm import sessions
from provisioning import identity, in_flight, pipeline
from provisioning.answers import refusals
from provisioning.consent import receipts, withdrawal
from provisioning.serializers import (
    GuestSerializer,
    InitSerializer,
    SessionSerializer,
    init_request,
)


class WebchatView(APIView):
    """What the webchat calls share: anonymous, signed where required, never cached."""

    permission_classes = (AllowAny,)
    serializer_class: type[SessionSerializer] = SessionSerializer

    def post(self, request: Request) -> Response:
        """Validate, do the one thing, answer."""
        with refusals(), in_flight.one_more():
            serializer = self.serializer_class(data=request.data)
            serializer.is_valid(raise_exception=True)
            body = serializer.validated_data
            identity.verify(
                session_id=body["sessionId"], signature=body.get("sessionSignature", "")
            )
            answer = self.answer(body, request)
        return Response(answer, headers={"Cache-Control": "no-store"})

    def answer(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        """Return the answer's JSON object."""
        raise NotImplementedError


class InitView(WebchatView):
    """``POST /api/webchat/init``: a guest with a token for a browser session."""

    serializer_class = InitSerializer

    def answer(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        asked = init_request(
            body=body, headers=request.headers, request_id=request.META["REQUEST_ID"]
        )
        access = pipeline.init(request=asked)
        return _access(access) | {"crmAttributes": access.crm_attributes}


class TokenView(WebchatView):
    """``POST /api/webchat/token``: a fresh token for a guest of this session."""

    serializer_class = GuestSerializer

    def answer(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        access = pipeline.fresh_token(
            session_id=body["sessionId"],
            guest_id=body["guestId"],
            request_id=request.META["REQUEST_ID"],
        )
        return _access(access)


class WithdrawView(WebchatView):
    """``POST /api/webchat/consent/withdraw``: take consent back."""

    def answer(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        withdrawn = withdrawal.withdraw(
            session_hash=sessions.hash_session(session_id=body["sessionId"]),
            request_id=request.META["REQUEST_ID"],
        )
        return {"withdrawn": withdrawn}


class ReceiptView(WebchatView):
    """``POST /api/webchat/consent/receipt``: the signed receipt of one consent."""

    serializer_class = GuestSerializer

    def answer(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        return receipts.receipt_for_guest(
            session_hash=sessions.hash_session(session_id=body["sessionId"]),
            guest_id=body["guestId"],
        ).as_json()


def _access(access: pipeline.GuestAccess) -> dict[str, Any]:
    return {
        "guestId": access.guest_id,
        "accessToken": access.token.value,
        "expiresAt": access.token.expires_at,
    }
