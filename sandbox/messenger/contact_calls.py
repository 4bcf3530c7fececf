"""The calls to single contacts: look-up by an identifier, GET, DELETE, and a merge.

Ours: a merge's fields are the first contact's, filled up by the others', under `valueOverride`; a
contact merged before stands for its canonical one; DELETE removes the contact named alone.
"""

from sandbox.errors import invalid_fields, invalid_json, not_found
from sandbox.messenger.checking import Checks, claim, written
from sandbox.messenger.contacts import Contacts
from sandbox.messenger.enriching import merged_fields
from sandbox.wire import Answer, Request


class ContactCalls:
    """These calls, over the contacts there are."""

    def __init__(self, *, contacts: Contacts, checks: Checks) -> None:
        self._contacts = contacts
        self._checks = checks

    def lookup(self, request: Request) -> Answer:
        """Return the contact that claims an identifier, or 404."""
        identifier = request.json_object()
        if identifier is None:
            return invalid_json()
        if problems := self._checks.identifier(identifier):
            return invalid_fields(problems=problems)
        found = self._contacts.find([claim(identifier)])
        if not found:
            return not_found(name="contact", entity_id=identifier["value"])
        return Answer(200, found[0].shown())

    def get(self, request: Request, contact_id: str) -> Answer:
        """Return a contact, a merged one too, or 404."""
        contact = self._contacts.get(contact_id)
        if contact is None:
            return not_found(name="contact", entity_id=contact_id)
        return Answer(200, contact.shown())

    def delete(self, request: Request, contact_id: str) -> Answer:
        """Remove a contact, or 404."""
        contact = self._contacts.get(contact_id)
        if contact is None:
            return not_found(name="contact", entity_id=contact_id)
        self._contacts.remove(contact)
        return Answer(200, {})

    def merge(self, request: Request) -> Answer:
        """Make one new contact of 2 to 25 and return it, 400 or 404."""
        body = request.json_object()
        if body is None:
            return invalid_json()
        ids, override = body.get("contactIds"), body.get("valueOverride") or {}
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            return invalid_fields(problems={"contactIds": "invalid"})
        if not isinstance(override, dict) or self._checks.override(override):
            return invalid_fields(problems={"valueOverride": "invalid"})
        contacts = {one: self._contacts.get(one) for one in ids}
        for contact_id, contact in contacts.items():
            if contact is None:
                return not_found(name="contact", entity_id=contact_id)
        heads = {
            head.id: head for head in map(self._contacts.head, filter(None, contacts.values()))
        }
        if not 2 <= len(heads) <= 25:
            return invalid_fields(problems={"contactIds": "invalid"})
        merging = list(heads.values())
        merged = self._contacts.merge(merging, merged_fields(merging, written(override)))
        return Answer(200, merged.shown())
