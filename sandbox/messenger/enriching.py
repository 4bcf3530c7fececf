"""`contacts/enrich`: finds a contact by identifiers, then changes it or makes one.

Ours: an Update that finds nothing is 404; an external id that another contact has is 409, which an
Insert of a known one is too; a dry run is 200. An identifier that no field of a contact can hold,
such as a cookie, is claimed because it was looked for.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from sandbox.errors import error, invalid_fields, invalid_json, not_found
from sandbox.messenger.checking import Checks, claim, written
from sandbox.messenger.combining import FieldRules
from sandbox.messenger.contacts import Claim, Contact, Contacts, claims_of
from sandbox.wire import Answer, Request

_HELD = ("ExternalId", "Email", "Phone")  # by fields of a contact


class Enriching:
    """The call, over the contacts there are."""

    def __init__(self, *, contacts: Contacts, checks: Checks) -> None:
        self._contacts = contacts
        self._checks = checks

    def enrich(self, request: Request) -> Answer:
        """Answer 201 for a new contact, 200 for a changed one, or refuse."""
        body = request.json_object()
        if body is None:
            return invalid_json()
        if problems := self._checks.enrich(body):
            return invalid_fields(problems=problems)
        dry_run = parse_qs(request.query).get("dryRun", [""])[-1] == "true"
        return self._enrich(body, dry_run)

    def _enrich(self, body: dict[str, Any], dry_run: bool) -> Answer:
        action, looked_for = body["action"], [claim(one) for one in body["matchingIdentifiers"]]
        found = self._contacts.find(looked_for)
        if action == "Update" and not found:
            return not_found(name="contact", entity_id=looked_for[0].value)
        matched = {"Insert": [], "Merge": found}.get(action, found[:1])
        fields = merged_fields(matched, written(body["contact"]), body.get("fieldRules"))
        claims = claims_of(fields) | _unheld(looked_for) | _unheld(_claims(matched))
        if self._belong_to_others(claims, matched):
            return error(409, "conflict", "Another contact has this external id.")
        if dry_run:
            return Answer(200, {**(matched[0].shown() if matched else {}), **fields})
        if not matched:
            return self._add(Contact(fields, claims, body["contact"].get("type") or "Curated"))
        contact = matched[0] if len(matched) == 1 else self._contacts.merge(matched, fields)
        if (body.get("options") or {}).get("promote"):
            contact.type = "Curated"
        self._contacts.change(contact, fields, claims)
        return Answer(200, contact.shown())

    def _add(self, contact: Contact) -> Answer:
        self._contacts.add(contact)
        return Answer(201, contact.shown())

    def _belong_to_others(self, claims: Iterable[Claim], matched: list[Contact]) -> bool:
        external = [known for known in claims if known.type == "ExternalId"]
        own = {contact.id for contact in matched}
        return any(contact.id not in own for contact in self._contacts.find(external))


def merged_fields(
    contacts: Iterable[Contact], provided: dict[str, Any], rules: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the fields of contacts, the first one's first, under what a client provides."""
    fields: dict[str, Any] = {}
    for contact in contacts:
        fields = FieldRules.read({"defaultAction": "PreferExisting"}).combine(
            fields, contact.fields
        )
    return FieldRules.read(rules or {}).combine(fields, provided)


def _claims(contacts: Iterable[Contact]) -> list[Claim]:
    return [known for contact in contacts for known in contact.claims]


def _unheld(claims: Iterable[Claim]) -> frozenset[Claim]:
    return frozenset(known for known in claims if known.type not in _HELD)
