"""What the webchat API answers, as OpenAPI describes it: serializers that only describe, and
examples."""

from typing import Any

from rest_framework import serializers

from provisioning.models import Status

EXAMPLE_GUEST = {"guestId": "guest_8f14e45fceea"}
EXAMPLE_ACCESS = {
    **EXAMPLE_GUEST,
    "accessToken": "eyJhbGciOiJIUzI1NiJ9.guest",
    "expiresAt": "2026-11-22T18:30:00Z",
}
EXAMPLE_CONTACT = {
    "guestId": "5b1f6c0e-8a44-4d0a-9d6e-0b1a6f1f7c21",
    "accessToken": "0b6f9d5c-1f0e-4a53-8c1d-7e2a9b3c4d5f",
    "expiresAt": "2026-11-22T18:30:00Z",
}
EXAMPLE_MESSENGER = {
    "platform": "messenger",
    "messenger": {
        "deploymentId": "9c7a1e42-6b0d-4f53-8e21-3d5f7a9b1c00",
        "environment": "prod-euc1",
        "socketUrl": "wss://webmessaging.mypurecloud.de/v1"
        "?deploymentId=9c7a1e42-6b0d-4f53-8e21-3d5f7a9b1c00",
        "customAttributes": {
            "guestportal_guest_id": EXAMPLE_CONTACT["guestId"],
            "guestportal_consent": "given",
        },
    },
}
# Its beginning; a whole one has about 2,000 characters.
EXAMPLE_RECEIPT = "eyJhbGciOiJFZERTQSIsImtpZCI6ImtQcktfIn0.eyJpYXQiOjE3OTU4OTU0MDB9.c2lnbmF0dXJl"
EXAMPLE_ATTRIBUTES = {
    "email": "visitor_4a77b392@temp.com",
    "firstName": "Guest",
    "tier": "Unknown",
    "previousTickets": 0,
}


class CrmAttributes(serializers.Serializer[Any]):
    """What the CRM knows; which of the four are shown is the operator's choice."""

    email = serializers.CharField(required=False)
    firstName = serializers.CharField(required=False)
    tier = serializers.CharField(required=False)
    previousTickets = serializers.IntegerField(required=False, min_value=0)


class CustomAttributes(serializers.Serializer[Any]):
    """What the inbound flow finds the visitor by. The visitor can change it: no CRM value is in
    it."""

    guestportal_guest_id = serializers.CharField()
    guestportal_consent = serializers.ChoiceField(choices=["given", "declined"])


class MessengerAnswer(serializers.Serializer[Any]):
    """What to open where the platform is Messenger; absent on the Guest API."""

    deploymentId = serializers.CharField()
    environment = serializers.CharField(help_text="As in the deployment's snippet.")
    socketUrl = serializers.CharField(help_text="For a page with a socket of its own.")
    customAttributes = CustomAttributes()


class TokenAnswer(serializers.Serializer[Any]):
    """A guest of the platform and a token for it."""

    guestId = serializers.CharField()
    accessToken = serializers.CharField(help_text="Short-lived; keep it in memory only.")
    expiresAt = serializers.CharField(
        help_text="ISO 8601: what the platform says; on Messenger what we promise."
    )
    platform = serializers.ChoiceField(
        choices=["messenger"], required=False, help_text="Absent on the Guest API."
    )
    messenger = MessengerAnswer(required=False)


class InitAnswer(TokenAnswer):
    """A guest, its token, and what the visitor may see of the CRM."""

    crmAttributes = CrmAttributes()


class ProgressAnswer(serializers.Serializer[Any]):
    """How far an asynchronous init got; `guestId` is null until there is a guest to use."""

    status = serializers.ChoiceField(choices=Status.values)
    guestId = serializers.CharField(allow_null=True)


class WithdrawAnswer(serializers.Serializer[Any]):
    """How many guests this call withdrew."""

    withdrawn = serializers.IntegerField(min_value=0)


class NoticeAnswer(serializers.Serializer[Any]):
    """A published privacy notice. Send `version` and `language` with the init."""

    version = serializers.CharField()
    language = serializers.CharField(help_text="A BCP 47 tag.")
    text = serializers.CharField(help_text="Plain text; paragraphs are parted by blank lines.")
    sha256 = serializers.CharField(help_text="Of `text` in UTF-8, hexadecimal.")
    purposes = serializers.ListField(child=serializers.CharField())
    effectiveFrom = serializers.DateTimeField()


class ReceiptAnswer(serializers.Serializer[Any]):
    """A consent receipt, shaped on ISO/IEC TS 27560; docs/receipts.md shows how to verify it."""

    receipt = serializers.RegexField(
        r"^[\w-]+\.[\w-]+\.[\w-]+$",
        help_text="A compact JWS (RFC 7515) with `typ` guestportal-receipt+jwt and `alg` EdDSA. "
        "`kid` names its key in `/.well-known/guestportal-keys.json`.",
    )
