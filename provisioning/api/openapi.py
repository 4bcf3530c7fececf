"""The webchat API as OpenAPI describes it: bodies, answers, links, and which refusals may come.

Views stay bare: drf-spectacular finds their descriptions here, by the view's name in `OPERATIONS`.
What every answer under /api/ shares is added by the project (`guestportal.api.schema`), from
``x-refusals`` too.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension, OpenApiViewExtension
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers

from crm.profiles import LookupFailed
from provisioning import ledger
from provisioning.api.answers import (
    EXAMPLE_ACCESS,
    EXAMPLE_ATTRIBUTES,
    EXAMPLE_CONTACT,
    EXAMPLE_GUEST,
    EXAMPLE_MESSENGER,
    EXAMPLE_RECEIPT,
    InitAnswer,
    NoticeAnswer,
    ProgressAnswer,
    ReceiptAnswer,
    TokenAnswer,
    WithdrawAnswer,
)
from provisioning.api.refusals import refusal_rows
from provisioning.api.requests import (
    GuestSerializer,
    IdentityRequired,
    InitSerializer,
    NoticeQuery,
    SessionSerializer,
)
from provisioning.consent.notices import NoNotice
from provisioning.consent.receipts import ReceiptNotFound
from provisioning.genesys import errors
from provisioning.init.in_flight import Overloaded
from provisioning.init.pipeline import ConsentDeclined, GuestNotFound

TAG = "Webchat"
EXAMPLE_SESSION = {"sessionId": "3f0c9f6e-6f3b-4c58-9a6e-6f2a0d6a5c11"}

# --- Operations ---------------------------------------------------------------------------------


def _header(name: str, description: str, type_: Any = str) -> OpenApiParameter:
    return OpenApiParameter(
        name=name, location=OpenApiParameter.HEADER, type=type_, description=description
    )


def _link(operation: str, description: str, *, guest: bool = False) -> dict[str, Any]:
    """Return a link to an operation on the same session and, where it needs one, guest."""
    body = {"sessionId": "$request.body#/sessionId"}
    body |= {"guestId": "$response.body#/guestId"} if guest else {}
    return {"operationId": operation, "description": description, "requestBody": body}


def _post(
    operation_id: str,
    summary: str,
    description: str,
    *,
    answer: type[serializers.Serializer[Any]],
    asked: dict[str, Any],
    refusals: tuple[type[Exception], ...],
    body: type[serializers.Serializer[Any]] = SessionSerializer,
    answered: dict[str, Any] | None = None,
    also: dict[int, OpenApiResponse] | None = None,
    parameters: tuple[OpenApiParameter, ...] = (),
    links: dict[str, Any] | None = None,
) -> Any:
    """Describe a POST; `asked` and `answered` are examples, `also` further answers by status."""
    examples = [OpenApiExample("request", value=asked, request_only=True)]
    examples += [
        OpenApiExample(name, value=value, response_only=True, status_codes=["200"])
        for name, value in (answered or {}).items()
    ]
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=description,
        tags=[TAG],
        parameters=list(parameters),
        request=body,
        responses={200: answer, **(also or {})},
        examples=examples,
        extensions={"x-refusals": refusal_rows(exceptions=refusals), "x-links": links or {}},
    )


WITHDRAW = _link("webchat_withdraw", "Consent taken back for this session.")
INIT = _post(
    "webchat_init",
    "Turn a browser session into a guest with a token",
    "Consent is recorded first. A visitor who declines gets a guest without any CRM value, or 403\n"
    "where the platform will not have one. Send the same `Idempotency-Key` with every try.\n"
    "Unknown fields are ignored; a misspelt one is refused where the field it resembles is absent.",
    body=InitSerializer,
    answer=InitAnswer,
    asked={**EXAMPLE_SESSION, "consentGiven": True, "noticeVersion": "2026-11", "language": "en"},
    answered={
        "Guest API": EXAMPLE_ACCESS | {"crmAttributes": EXAMPLE_ATTRIBUTES},
        "Messenger": EXAMPLE_CONTACT | {"crmAttributes": EXAMPLE_ATTRIBUTES} | EXAMPLE_MESSENGER,
    },
    also={
        202: OpenApiResponse(
            ProgressAnswer,
            description="Accepted (`Prefer: respond-async`): ask at `Location` after `Retry-After` "
            "seconds, then fetch the token from `/api/webchat/token`.",
        )
    },
    parameters=(
        _header(
            "Idempotency-Key",
            "The same key and body within 24 hours give the same guest, with a new token.",
            {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
        ),
        _header(
            "Prefer",
            "`respond-async`: 202 at once and the guest later (RFC 7240); a wish, no order.",
        ),
        _header(
            "Sec-GPC",
            "`1`: Global Privacy Control, as browsers send it; kept with the record.",
        ),
    ),
    refusals=(
        IdentityRequired,
        ConsentDeclined,
        ledger.ConsentWithdrawn,
        ledger.KeyInUse,
        ledger.KeyMismatch,
        LookupFailed,
        Overloaded,
        errors.PlatformError,
    ),
    links={
        "renew": _link("webchat_token", "A fresh token for this guest.", guest=True),
        "receipt": _link(
            "webchat_receipt", "The receipt of the consent given with this call.", guest=True
        ),
        "withdraw": WITHDRAW,
    },
)
PROGRESS = extend_schema(
    operation_id="webchat_progress",
    summary="Ask what became of an asynchronous init",
    description="The address is the `Location` of the 202; it is good for ten minutes.",
    tags=[TAG],
    responses=ProgressAnswer,
    extensions={"x-refusals": [(404, "not_found", "There is nothing at this address.")]},
)
NOTICE = extend_schema(
    operation_id="webchat_notice",
    summary="Show the privacy notice in effect",
    description="To be shown before the visitor decides: nobody types it into a page. Ask again "
    "with\n`If-None-Match`. A version that another has taken the place of counts for another day.",
    tags=[TAG],
    parameters=[NoticeQuery],
    responses={200: NoticeAnswer, 304: OpenApiResponse(description="It is the one you have.")},
    extensions={
        "x-refusals": [
            (400, "invalid_request", "language must be one of: de, en."),
            *refusal_rows(exceptions=(NoNotice,)),
        ],
        "x-links": {"init": _link("webchat_init", "Name what was shown.")},
    },
)
TOKEN = _post(
    "webchat_token",
    "Issue a fresh token for a guest of this session",
    "Another session's guest is not found. After withdrawal there are no more tokens.",
    body=GuestSerializer,
    answer=TokenAnswer,
    asked=EXAMPLE_SESSION | EXAMPLE_GUEST,
    answered={"Guest API": EXAMPLE_ACCESS, "Messenger": EXAMPLE_CONTACT | EXAMPLE_MESSENGER},
    refusals=(
        IdentityRequired,
        ledger.ConsentWithdrawn,
        GuestNotFound,
        Overloaded,
        errors.PlatformError,
    ),
    links={"withdraw": WITHDRAW},
)
TAKE_BACK = _post(
    "webchat_withdraw",
    "Take consent back",
    "As easy as giving it: from now on this session is handled as declined, until consent is "
    "stated\nagain. Repeating it does no harm.",
    answer=WithdrawAnswer,
    asked=EXAMPLE_SESSION,
    answered={"answer": {"withdrawn": 1}},
    refusals=(IdentityRequired, Overloaded),
    links={"init": _link("webchat_init", "Handled as declined until consent is stated again.")},
)
RECEIPT = _post(
    "webchat_receipt",
    "Hand out the signed receipt of a consent",
    "For the guest of this very session. It can be verified without us, by any JOSE library.",
    body=GuestSerializer,
    answer=ReceiptAnswer,
    asked=EXAMPLE_SESSION | EXAMPLE_GUEST,
    answered={"answer": {"receipt": EXAMPLE_RECEIPT}},
    refusals=(IdentityRequired, ReceiptNotFound, Overloaded),
)
OPERATIONS = {
    "InitView": {"post": INIT},
    "ProgressView": {"get": PROGRESS},
    "NoticeView": {"get": NOTICE},
    "TokenView": {"post": TOKEN},
    "WithdrawView": {"post": TAKE_BACK},
    "ReceiptView": {"post": RECEIPT},
}


class DescribedView(OpenApiViewExtension):
    """Gives every webchat view its description from `OPERATIONS`."""

    target_class = "provisioning.api.views.WebchatView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        """Return the view with its description."""
        view = type("View", (self.target,), {})
        return extend_schema_view(**OPERATIONS[self.target.__name__])(view)


class DescribedProgress(DescribedView):
    """The same for a view that is asked by GET."""

    target_class = "provisioning.api.views.ProgressView"


class DescribedNotice(DescribedView):
    """The same for the other one."""

    target_class = "provisioning.api.views.NoticeView"


# --- Fields -------------------------------------------------------------------------------------


class PlainStringSchema(OpenApiSerializerFieldExtension):
    """A string without control characters (Unicode Cc)."""

    target_class = "provisioning.api.requests.PlainString"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the field's JSON Schema."""
        pattern = self.target.pattern or r"^[^\x00-\x1f\x7f-\x9f]*$"
        limits = {"minLength": 1, "maxLength": self.target.limit}
        return {"type": "string", **limits, "pattern": pattern}


class WordSchema(OpenApiSerializerFieldExtension):
    """One of a few words."""

    target_class = "provisioning.api.requests.Word"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the field's JSON Schema."""
        return {"type": "string", "enum": list(self.target.words)}
