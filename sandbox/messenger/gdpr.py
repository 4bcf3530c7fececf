"""Requests to erase a person: each look moves one a state on; at the last the contact is gone.

Ours: only GDPR_DELETE is taken, for one identifier; a contact nobody knows is 404; what is erased
is the contact named and no other of its merge tree. A journey's cookie has nothing here to erase.
"""

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from sandbox.errors import invalid_fields, invalid_json, not_found
from sandbox.messenger.contacts import Contacts
from sandbox.wire import Answer, Request, new_id, timestamp

_KEPT = 100_000  # requests remembered; the oldest go first
_STATES = ("INITIATED", "SEARCHING", "DELETING", "FINALIZING", "COMPLETED")
_URI = "/api/v2/gdpr/requests/"


class ErasureRequests:
    """The requests of the organisation."""

    def __init__(self, *, contacts: Contacts) -> None:
        self._contacts = contacts
        self._requests: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def add(self, request: Request) -> Answer:
        """Take a confirmed request (202), or refuse it."""
        body = request.json_object()
        if body is None:
            return invalid_json()
        confirmed = parse_qs(request.query).get("deleteConfirmed", [""])[-1]
        if problems := _problems(body, confirmed):
            return invalid_fields(problems=problems)
        contact_id = body["subject"].get("externalContactId")
        if contact_id and not self._contacts.get(contact_id):
            return not_found(name="contact", entity_id=contact_id)
        return Answer(202, self._keep(body["subject"]))

    def poll(self, request: Request, request_id: str) -> Answer:
        """Move a request on and return it, or 404."""
        known = self._requests.get(request_id)
        if known is None:
            return not_found(name="request", entity_id=request_id)
        state = min(_STATES.index(known["status"]) + 1, len(_STATES) - 1)
        known["status"] = _STATES[state]
        contact = self._contacts.get(known["subject"].get("externalContactId", ""))
        if contact and known["status"] == "COMPLETED":
            self._contacts.remove(contact)
        return Answer(200, dict(known))

    def forget(self) -> None:
        """Forget every request."""
        self._requests.clear()

    def _keep(self, subject: dict[str, Any]) -> dict[str, Any]:
        request_id = new_id()
        self._requests[request_id] = {
            "id": request_id,
            "requestType": "GDPR_DELETE",
            "createdDate": timestamp(datetime.now(UTC)),
            "status": _STATES[0],
            "subject": subject,
            "selfUri": _URI + request_id,
        }
        if len(self._requests) > _KEPT:
            self._requests.popitem(last=False)
        return dict(self._requests[request_id])


def _problems(body: dict[str, Any], confirmed: str) -> dict[str, str]:
    """Return the fields at fault, each with its error code."""
    if body.get("requestType") != "GDPR_DELETE":
        return {"requestType": "invalid"}
    if confirmed != "true":
        return {"deleteConfirmed": "missing"}
    subject = body.get("subject")
    if not isinstance(subject, dict) or len(subject) != 1:
        return {"subject": "invalid"}
    customer = subject.get("journeyCustomer")
    is_cookie = isinstance(customer, dict) and customer.get("type") == "cookie"
    is_good = is_cookie or isinstance(subject.get("externalContactId"), str)
    return {} if is_good else {"subject": "invalid"}
