"""HTTP to pipeline and back. Nothing is decided here."""

import time
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.http import parse_etags, quote_etag
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import log
from crm import sessions
from provisioning import metrics
from provisioning.api.refusals import refusal
from provisioning.api.requests import (
    GuestSerializer,
    InitSerializer,
    NoticeQuery,
    SessionSerializer,
    init_request,
    prefers_async,
    verify_session,
)
from provisioning.consent import notices, receipts
from provisioning.init import in_flight, pipeline, queued
from provisioning.ledger import withdrawal
from provisioning.models import Status
from provisioning.time_left import answer_within

NO_STORE = {"Cache-Control": "no-store"}
RETRY_AFTER = "1"  # seconds between two looks at an asynchronous init


class WebchatView(APIView):
    """What the webchat calls share: anonymous, signed where required, never cached."""

    http_method_names = ["post"]
    permission_classes = (AllowAny,)
    serializer_class: type[SessionSerializer] = SessionSerializer

    def post(self, request: Request) -> Response:
        """Validate, do the one thing, answer."""
        # Before anything is counted: a body that comes slowly takes no place and no time of ours.
        data = request.data
        call = metrics.span("webchat", request_id=request.META["REQUEST_ID"])
        with call, in_flight.counted(), answer_within(settings.GENESYS_DEADLINE):
            serializer = self.serializer_class(data=data)
            serializer.is_valid(raise_exception=True)
            body = serializer.validated_data
            verify_session(session_id=body["sessionId"], signature=body.get("sessionSignature", ""))
            answer = self.answer(body, request)
        if isinstance(answer, Response):
            return answer
        return Response(answer, headers=NO_STORE)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer what the pipeline raised as the contract words it."""
        return super().handle_exception(refusal(exc=exc))

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        self.began = time.perf_counter()
        super().setup(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Count and log every answer, refusals too: all of them pass here."""
        metrics.answered(
            call=request.path_info.rpartition("/")[2],
            outcome="ok" if response.status_code < 400 else response.data["code"],
            seconds=time.perf_counter() - self.began,
        )
        return super().finalize_response(request, response, *args, **kwargs)

    def answer(self, body: dict[str, Any], request: Request) -> dict[str, Any] | Response:
        """Return the answer's JSON object, or a whole answer where it is not a plain 200."""
        raise NotImplementedError


class InitView(WebchatView):
    """``POST /api/webchat/init``: a guest with a token for a browser session."""

    serializer_class = InitSerializer

    def answer(self, body: dict[str, Any], request: Request) -> dict[str, Any] | Response:
        asked = init_request(
            body=body,
            headers=request.headers,
            request_id=request.META["REQUEST_ID"],
            event_request_id=request.META["EVENT_REQUEST_ID"],
        )
        if prefers_async(request.headers) and (key := queued.accept(request=asked)):
            return _accepted(key)
        access = pipeline.init(request=asked)
        return _access(access, crmAttributes=access.crm_attributes)


class NoticeView(APIView):
    """``GET /api/webchat/notice``: the privacy notice to show before anything is asked."""

    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        """Answer with the notice in effect; 304 where the page has this very one."""
        asked = NoticeQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        with answer_within(settings.GENESYS_DEADLINE):
            notice = notices.notice_in_effect(language=asked.validated_data.get("language", ""))
        body = {
            "version": notice.version,
            "language": notice.language,
            "text": notice.text,
            "sha256": notice.sha256,
            "purposes": notice.purposes,
            "effectiveFrom": log.timestamp(notice.effective_at),
        }
        tag = quote_etag(sha256(log.canonical(body).encode()).hexdigest())
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Origin"}
        if _has(tag, request):
            return Response(status=304, headers=headers)
        return Response(body, headers=headers)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer what was raised as the contract words it."""
        return super().handle_exception(refusal(exc=exc))


class ProgressView(APIView):
    """``GET /api/webchat/init/{capability}``: what became of an asynchronous init."""

    permission_classes = (AllowAny,)

    def get(self, request: Request, key: str) -> Response:
        """Answer ``{"status", "guestId"}``, or 404 for a capability unknown or over."""
        with answer_within(settings.GENESYS_DEADLINE):
            found = queued.progress(capability=key)
        if found is None:
            raise NotFound
        busy = found.status in (Status.QUEUED, Status.PENDING)
        headers = NO_STORE | ({"Retry-After": RETRY_AFTER} if busy else {})
        return Response({"status": found.status, "guestId": found.guest_id}, headers=headers)


class TokenView(WebchatView):
    """``POST /api/webchat/token``: a fresh token for a guest of this session."""

    serializer_class = GuestSerializer

    def answer(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        access = pipeline.fresh_token(
            session_id=body["sessionId"],
            guest_id=body["guestId"],
            event_request_id=request.META["EVENT_REQUEST_ID"],
        )
        return _access(access)


class WithdrawView(WebchatView):
    """``POST /api/webchat/consent/withdraw``: take consent back."""

    def answer(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        withdrawn = withdrawal.withdraw(
            session_hash=sessions.hash_session(session_id=body["sessionId"]),
            event_request_id=request.META["EVENT_REQUEST_ID"],
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


def _has(tag: str, request: Request) -> bool:
    """Tell whether ``If-None-Match`` names `tag`, compared weakly (RFC 9110, section 13.1.2)."""
    named = parse_etags(request.headers.get("If-None-Match", ""))
    return tag in {each.removeprefix("W/") for each in named} or "*" in named


def _accepted(key: str) -> Response:
    """Return the 202 of RFC 7240, section 4.1."""
    headers = {
        "Location": reverse("webchat-progress", args=[key]),
        "Retry-After": RETRY_AFTER,
        "Preference-Applied": "respond-async",
    }
    body = {"status": Status.QUEUED, "guestId": None}
    return Response(body, status=202, headers=NO_STORE | headers)


def _access(access: pipeline.GuestAccess, **shown: Any) -> dict[str, Any]:
    return {
        "guestId": access.guest_id,
        "accessToken": access.token.value,
        "expiresAt": access.token.expires_at,
        **shown,
        **access.further,
    }
