"""Calls about one contact or one request, made outside an init: each reserves its own."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from provisioning.genesys.calls import Calls, expect_success
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.messenger import contacts
from provisioning.genesys.transport import Answer

CONTACTS = "/api/v2/externalcontacts/contacts"
ENRICH = f"{CONTACTS}/enrich"
LOOKUP = "/api/v2/externalcontacts/identifierlookup/contacts"
REQUESTS = "/api/v2/gdpr/requests"
REMEDY = (
    "Check MESSENGER_EXTERNAL_SOURCE_ID, MESSENGER_SCHEMA_ID and MESSENGER_SCHEMA_VERSION: "
    "manage.py check_genesys says which is wrong."
)


class Api:
    """Each call returns None where the platform knows no such thing, and raises PlatformError."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def contact(self, contact_id: str, deadline: Deadline) -> Answer | None:
        """Return a contact, also one that was merged into another."""
        return self.get(CONTACTS, contact_id, deadline)

    def canonical(self, contact_id: str, deadline: Deadline) -> Answer | None:
        """Return a contact, or what it was merged into."""
        found = self.contact(contact_id, deadline)
        if found is None:
            return None
        heads = contacts.named_in(contacts.contact(found).get("canonicalContact"))
        return found if heads in ([], [contact_id]) else self.contact(heads[0], deadline)

    def look_up(self, external_id: str, deadline: Deadline) -> Answer | None:
        """Return the contact that has an external id."""
        return self.post(LOOKUP, contacts.identifier(external_id), deadline)

    def delete_contact(self, contact_id: str, deadline: Deadline) -> Answer | None:
        """Delete a contact, and it alone."""
        return self.make("DELETE", _path(CONTACTS, contact_id), deadline)

    def get(self, collection: str, name: str, deadline: Deadline) -> Answer | None:
        """Return one thing of a collection."""
        return self.make("GET", _path(collection, name), deadline)

    def post(self, path: str, payload: Mapping[str, Any], deadline: Deadline) -> Answer | None:
        """Post a payload that may arrive twice without harm."""
        return self.make("POST", path, deadline, payload)

    def make(
        self,
        method: str,
        path: str,
        deadline: Deadline,
        payload: Mapping[str, Any] | None = None,
        *,
        repeatable: bool = True,
        remedy: str = REMEDY,
    ) -> Answer | None:
        """Make a call; `repeatable` and `remedy` are those of `Calls.make`, `expect_success`."""
        reservation = self._calls.reserve(calls=1, deadline=deadline)
        answer = self._calls.make(
            path,
            payload,
            method=method,
            reservation=reservation,
            deadline=deadline,
            repeatable=repeatable,
        )
        if answer.status == 404:
            return None
        expect_success(answer, remedy=remedy)
        return answer


def _path(collection: str, name: str) -> str:
    return f"{collection}/{quote(name, safe='')}"
