"""The contacts, and what each claims: its external ids, addresses, numbers, and other identifiers.

An identifier belongs to one contact. A merge makes a new contact that takes over what the merged
ones claimed; they stay, and name it as the canonical one.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sandbox.wire import new_id, timestamp

_KEPT = 100_000  # contacts remembered; the oldest go first
_URI = "/api/v2/externalcontacts/contacts/"
EMAILS = ("workEmail", "personalEmail", "otherEmail")
PHONES = ("workPhone", "cellPhone", "homePhone", "otherPhone")


class Claim(NamedTuple):
    """An identifier; `source` is the id of an external source, empty for the other types."""

    type: str
    value: str
    source: str = ""


@dataclass(slots=True)
class Contact:
    """One contact. `fields` are those of the vendor's `ExternalContact` that a client may write."""

    fields: dict[str, Any]
    claims: frozenset[Claim]
    type: str = "Curated"
    id: str = field(default_factory=new_id)
    created: str = field(default_factory=lambda: timestamp(datetime.now(UTC)))
    modified: str = ""
    canonical: str = ""
    merged: tuple[str, ...] = ()  # every contact of its merge tree

    def shown(self) -> dict[str, Any]:
        """Return it as `ExternalContact`."""
        shown = {
            "id": self.id,
            "type": self.type,
            **self.fields,
            "createDate": self.created,
            "modifyDate": self.modified or self.created,
            "selfUri": _URI + self.id,
        }
        if self.canonical:
            shown["canonicalContact"] = _reference(self.canonical)
            shown["mergeSet"] = [_reference(contact_id) for contact_id in self.merged]
        return shown


class Contacts:
    """Every contact, by id and by what it claims."""

    def __init__(self) -> None:
        self._contacts: OrderedDict[str, Contact] = OrderedDict()
        self._claimed: dict[Claim, str] = {}

    def get(self, contact_id: str) -> Contact | None:
        """Return the contact of an id, a merged one too."""
        return self._contacts.get(contact_id)

    def find(self, claims: Iterable[Claim]) -> list[Contact]:
        """Return the contacts that claim any of these, in this order, each once."""
        ids = dict.fromkeys(self._claimed[claim] for claim in claims if claim in self._claimed)
        return [self._contacts[contact_id] for contact_id in ids]

    def add(self, contact: Contact) -> None:
        """Keep a new contact; what others claim stays theirs."""
        self._contacts[contact.id] = contact
        self._claim(contact)
        if len(self._contacts) > _KEPT:
            self.remove(next(iter(self._contacts.values())))

    def change(self, contact: Contact, fields: dict[str, Any], claims: frozenset[Claim]) -> None:
        """Give a contact other fields."""
        self._release(contact)
        contact.fields, contact.claims = fields, claims
        contact.modified = timestamp(datetime.now(UTC))
        self._claim(contact)

    def remove(self, contact: Contact) -> None:
        """Forget a contact and what it claims."""
        self._release(contact)
        del self._contacts[contact.id]

    def head(self, contact: Contact) -> Contact:
        """Return the canonical contact of a merged one, itself where it is not merged."""
        return self._contacts.get(contact.canonical, contact)

    def merge(self, merging: Sequence[Contact], fields: dict[str, Any]) -> Contact:
        """Make a new contact out of others, which give it what they claim."""
        for contact in merging:
            self._release(contact)
        claims = frozenset[Claim]().union(*(contact.claims for contact in merging))
        merged = Contact(fields, claims | claims_of(fields))
        ids = (other for contact in merging for other in (*contact.merged, contact.id))
        tree = tuple(dict.fromkeys((*ids, merged.id)))
        self.add(merged)
        for contact in filter(None, map(self.get, tree)):
            contact.canonical, contact.merged = merged.id, tree
        return merged

    def forget(self) -> None:
        """Forget every contact."""
        self._contacts.clear()
        self._claimed.clear()

    def _claim(self, contact: Contact) -> None:
        for claim in contact.claims:
            self._claimed.setdefault(claim, contact.id)

    def _release(self, contact: Contact) -> None:
        for claim in contact.claims:
            if self._claimed.get(claim) == contact.id:
                del self._claimed[claim]


def claims_of(fields: dict[str, Any]) -> frozenset[Claim]:
    """Return what a contact claims by its fields."""
    external = {
        Claim("ExternalId", known["value"].strip(), known["externalSource"]["id"])
        for known in fields.get("externalIds", ())
    }
    emails = {Claim("Email", fields[name].lower()) for name in EMAILS if name in fields}
    numbers = (fields.get(name, {}).get("e164") for name in PHONES)
    return frozenset(external | emails | {Claim("Phone", number) for number in numbers if number})


def _reference(contact_id: str) -> dict[str, str]:
    return {"id": contact_id, "selfUri": _URI + contact_id}
