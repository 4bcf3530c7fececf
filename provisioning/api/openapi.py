"""The webchat API as OpenAPI describes it: bodies, answers, links, and which refusals may come.

Views stay bare: drf-spectacular finds their descriptions here by the view's name. A further view
gets a further `Described` class. What every answer under /api/ shares is added by the project
(`guestportal.api.schema`), from ``x-refusals`` too.
"""

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any, ClassVar

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
from provisioning.api.identity import IdentityRequired
from provisioning.api.refusals import refusal_rows
from provisioning.api.requests import GuestSerializer, InitSerializer, SessionSerializer
from provisioning.consent.receipts import ReceiptNotFound
from provisioning.genesys import errors
from provisioning.init.in_flight import Overloaded
from provisioning.init.pipeline import ConsentDeclined, GuestNotFound
from provisioning.models import Status

TAG = "Webchat"
EXAMPLE_SESSION = "3f0c9f6e-6f3b-4c58-9a6e-6f2a0d6a5c11"
EXAMPLE_GUEST = "guest_8f14e45fceea"
EXAMPLE_ACCESS = {
    "guestId": EXAMPLE_GUEST,
    "accessToken": "eyJhbGciOiJIUzI1NiJ9.guest",
    "expiresAt": "2026-11-22T18:30:00Z",
}

# --- Answers ------------------------------------------------------------------------------------


class CrmAttributes(serializers.Serializer[Any]):
    """What the CRM knows; which of the four are shown is the operator's choice."""

    email = serializers.CharField(required=False)
    firstName = serializers.CharField(required=False)  # noqa: N815
    tier = serializers.CharField(required=False)
    previousTickets = serializers.IntegerField(required=False, min_value=0)  # noqa: N815


class TokenAnswer(serializers.Serializer[Any]):
    """A guest of the platform and a token for it."""

    guestId = serializers.CharField()  # noqa: N815
    accessToken = serializers.CharField(help_text="Short-lived; keep it in memory only.")  # noqa: N815
    expiresAt = serializers.CharField(help_text="ISO 8601, as the platform gave it.")  # noqa: N815


class InitAnswer(TokenAnswer):
    """A guest, its token, and what the visitor may see of the CRM."""

    crmAttributes = CrmAttributes()  # noqa: N815


class ProgressAnswer(serializers.Serializer[Any]):
    """How far an asynchronous init got; `guestId` is null until there is a guest to use."""

    status = serializers.ChoiceField(choices=Status.values)
    guestId = serializers.CharField(allow_null=True)  # noqa: N815


class WithdrawAnswer(serializers.Serializer[Any]):
    """How many guests this call withdrew."""

    withdrawn = serializers.IntegerField(min_value=0)


class Signature(serializers.Serializer[Any]):
    """Over the receipt's canonical JSON (RFC 8785)."""

    algorithm = serializers.ChoiceField(choices=["Ed25519"])
    key_id = serializers.CharField()
    value = serializers.CharField(help_text="Hexadecimal.")


class ReceiptAnswer(serializers.Serializer[Any]):
    """A consent receipt, shaped on ISO/IEC TS 27560; docs/compliance.md shows how to verify it."""

    receipt = serializers.DictField()
    signature = Signature()


# --- Operations ---------------------------------------------------------------------------------

IDEMPOTENCY_KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    type={"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
    description="The same key and body within 24 hours give the same guest, with a new token.",
)
PREFER = OpenApiParameter(
    name="Prefer",
    location=OpenApiParameter.HEADER,
    type=str,
    description="`respond-async`: 202 at once and the guest later (RFC 7240); a wish, no order.",
)
GPC = OpenApiParameter(
    name="Sec-GPC",
    location=OpenApiParameter.HEADER,
    type=str,
    description="`1`: Global Privacy Control, as browsers send it; kept with the record.",
)


def _link(operation: str, *, description: str, **body: str) -> dict[str, Any]:
    return {"operationId": operation, "description": description, "requestBody": body}


SAME_SESSION = "$request.body#/sessionId"
SAME_GUEST = "$response.body#/guestId"
RENEW = _link(
    "webchat_token",
    description="A fresh token for this guest.",
    sessionId=SAME_SESSION,
    guestId=SAME_GUEST,
)
RECEIPT = _link(
    "webchat_receipt",
    description="The receipt of the consent given with this call.",
    sessionId=SAME_SESSION,
    guestId=SAME_GUEST,
)
WITHDRAW = _link(
    "webchat_withdraw", description="Consent taken back for this session.", sessionId=SAME_SESSION
)


class Described(OpenApiViewExtension):
    """Describes the POST of the view named `target_class`; subclasses say what is particular."""

    operation: ClassVar[str]
    body: ClassVar[type[serializers.Serializer[Any]]] = SessionSerializer
    answer: ClassVar[type[serializers.Serializer[Any]]]
    also: ClassVar[Mapping[int, OpenApiResponse]] = {}
    asked: ClassVar[Mapping[str, Any]]
    answered: ClassVar[Mapping[str, Any]] = {}
    parameters: ClassVar[tuple[OpenApiParameter, ...]] = ()
    refusals: ClassVar[tuple[type[Exception], ...]]
    links: ClassVar[Mapping[str, Any]] = {}

    def view_replacement(self) -> Any:
        """Return the view with its description."""
        summary, _, description = cleandoc(self.__doc__ or "").partition("\n")
        described = extend_schema(
            operation_id=self.operation,
            summary=summary,
            description=description.strip(),
            tags=[TAG],
            parameters=list(self.parameters),
            request=self.body,
            responses={200: self.answer, **self.also},
            examples=self._examples(),
            extensions={
                "x-refusals": refusal_rows(exceptions=self.refusals),
                "x-links": dict(self.links),
            },
        )
        return extend_schema_view(post=described)(type("View", (self.target,), {}))

    def _examples(self) -> list[OpenApiExample]:
        examples = [OpenApiExample("request", value=dict(self.asked), request_only=True)]
        if self.answered:
            value = dict(self.answered)
            examples.append(
                OpenApiExample("answer", value=value, response_only=True, status_codes=["200"])
            )
        return examples


PLATFORM = (
    errors.Rejected,
    errors.Credentials,
    errors.Protocol,
    errors.Busy,
    errors.TimedOut,
    errors.PlatformError,
)


class DescribedInit(Described):
    """Turn a browser session into a guest with a token

    Consent is recorded first. A visitor who declines gets a guest without any CRM value, or 403
    where the platform will not have one. Send the same `Idempotency-Key` with every try.
    """

    target_class = "provisioning.api.views.InitView"
    operation = "webchat_init"
    body = InitSerializer
    answer = InitAnswer
    asked = {"sessionId": EXAMPLE_SESSION, "consentGiven": True, "language": "en"}
    answered = {
        **EXAMPLE_ACCESS,
        "crmAttributes": {
            "email": "visitor_4a77b392@temp.com",
            "firstName": "Guest",
            "tier": "Unknown",
            "previousTickets": 0,
        },
    }
    also = {
        202: OpenApiResponse(
            ProgressAnswer,
            description="Accepted (`Prefer: respond-async`): ask at `Location` after `Retry-After` "
            "seconds, then fetch the token from `/api/webchat/token`.",
        )
    }
    parameters = (IDEMPOTENCY_KEY, PREFER, GPC)
    refusals = (
        IdentityRequired,
        ConsentDeclined,
        ledger.ConsentWithdrawn,
        ledger.KeyInUse,
        ledger.KeyMismatch,
        LookupFailed,
        Overloaded,
        *PLATFORM,
    )
    links = {"renew": RENEW, "receipt": RECEIPT, "withdraw": WITHDRAW}


class DescribedProgress(OpenApiViewExtension):
    """Describes the one GET: what became of an asynchronous init."""

    target_class = "provisioning.api.views.ProgressView"

    def view_replacement(self) -> Any:
        """Return the view with its description."""
        described = extend_schema(
            operation_id="webchat_progress",
            summary="Ask what became of an asynchronous init",
            description="The address is the `Location` of the 202; it is good for ten minutes.",
            tags=[TAG],
            responses=ProgressAnswer,
            extensions={"x-refusals": [(404, "not_found", "There is nothing at this address.")]},
        )
        return extend_schema_view(get=described)(type("View", (self.target,), {}))


class DescribedToken(Described):
    """Issue a fresh token for a guest of this session

    Another session's guest is not found. After withdrawal there are no more tokens.
    """

    target_class = "provisioning.api.views.TokenView"
    operation = "webchat_token"
    body = GuestSerializer
    answer = TokenAnswer
    asked = {"sessionId": EXAMPLE_SESSION, "guestId": EXAMPLE_GUEST}
    answered = EXAMPLE_ACCESS
    refusals = (IdentityRequired, ledger.ConsentWithdrawn, GuestNotFound, Overloaded, *PLATFORM)
    links = {"withdraw": WITHDRAW}


class DescribedWithdraw(Described):
    """Take consent back

    As easy as giving it: from now on this session is handled as declined, until consent is stated
    again. Repeating it does no harm.
    """

    target_class = "provisioning.api.views.WithdrawView"
    operation = "webchat_withdraw"
    answer = WithdrawAnswer
    asked = {"sessionId": EXAMPLE_SESSION}
    answered = {"withdrawn": 1}
    refusals = (IdentityRequired, Overloaded)
    links = {
        "init": _link(
            "webchat_init",
            description="Handled as declined until consent is stated again.",
            sessionId=SAME_SESSION,
        )
    }


class DescribedReceipt(Described):
    """Hand out the signed receipt of a consent

    For the guest of this very session. It can be verified without us.
    """

    target_class = "provisioning.api.views.ReceiptView"
    operation = "webchat_receipt"
    body = GuestSerializer
    answer = ReceiptAnswer
    asked = {"sessionId": EXAMPLE_SESSION, "guestId": EXAMPLE_GUEST}
    refusals = (IdentityRequired, ReceiptNotFound, Overloaded)


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
