"""What a visitor's page does, what the platform got of it, and what the log says of it."""

import json
from base64 import urlsafe_b64decode
from typing import Any

from django.test import Client

from audit.models import AuditEvent
from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.models import GuestCreation
from tests.support.sandbox import Sandbox

SESSION = "a-session-of-jane"
PERSON = {"email": "jane.doe@example.com", "first_name": "Janette", "tier": "Platinum-Tier"}


class Visitor:
    """Calls the webchat API for one session after another."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client = Client(raise_request_exception=False)

    def post(self, path: str, body: dict[str, Any], **headers: str) -> Any:
        return self.client.post(
            f"/api/webchat/{path}", body, content_type="application/json", headers=headers
        )

    def init(self, session: str = SESSION, *, gpc: bool = False, **fields: Any) -> Any:
        """Ask for a guest; a field that is None is left out."""
        said = {name: value for name, value in fields.items() if value is not None}
        return self.post(
            "init", {"sessionId": session, **said}, **({"Sec-GPC": "1"} if gpc else {})
        )

    def withdraw(self, session: str = SESSION) -> Any:
        return self.post("consent/withdraw", {"sessionId": session})

    def token(self, guest_id: str, session: str = SESSION) -> Any:
        return self.post("token", {"sessionId": session, "guestId": guest_id})

    def receipt(self, guest_id: str, session: str = SESSION) -> Any:
        return self.post("consent/receipt", {"sessionId": session, "guestId": guest_id})

    def sent(self) -> list[dict[str, Any]]:
        """Return the bodies of all guests asked of the platform."""
        return [call["body"] for call in self.sandbox.calls(endpoint="guests")]


def known_to_the_crm(session: str = SESSION, **fields: Any) -> CrmRecord:
    """Store Jane's CRM record under `session`."""
    values = {**PERSON, "previous_tickets": 4711, **fields}
    return CrmRecord.objects.create(session_hash=hash_session(session_id=session), **values)


def latest() -> GuestCreation:
    """Return the newest creation."""
    return GuestCreation.objects.latest("id")


def events(kind: str) -> list[dict[str, Any]]:
    """Return the bodies of all events of `kind`, oldest first."""
    bodies = AuditEvent.objects.filter(kind=kind).order_by("id").values_list("body", flat=True)
    return [json.loads(body) for body in bodies]


def jws_part(receipt: str, number: int) -> dict[str, Any]:
    """Return a part of a compact JWS: 0 its header, 1 what it is over."""
    text = receipt.split(".")[number]
    part: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return part
