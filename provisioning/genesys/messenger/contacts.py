"""The body of an enrich, and what a contact in an answer says.

Fields and rules are those of the vendor's SDK 269 (`ContactEnrichRequest`, `ExternalContact`). The
contact is matched by the external id alone: by an address it would be somebody's CRM contact.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from django.conf import settings

from backoffice.foreign import storable
from provisioning.genesys.errors import Protocol
from provisioning.genesys.messenger import fields, names
from provisioning.genesys.platform import Guest, GuestRequest, Message
from provisioning.genesys.retry import about
from provisioning.genesys.transport import Answer

CONSENT_GIVEN = "consent_given_checkbox"
CONSENT_TYPE = "consent_type_text"
_ID = re.compile("[0-9A-Za-z-]{1,64}")  # the vendor's are UUIDs; as the settings take one
_MOMENT = "[0-9TZ:.+-]{8,40}"
_WORD = "[A-Za-z_-]{1,16}"


def enrich(*, guest: GuestRequest) -> Message:
    """Return what is sent for a visitor who consented.

    Made-up names and addresses stay here: on the platform they would be an identity. So do
    attributes that can be no field: with one of them the platform would refuse the visitor.
    """
    attributes = {
        key: value for key, value in guest.attributes.items() if fields.takes(key=key, value=value)
    }
    custom = {**attributes, CONSENT_GIVEN: guest.consent_given, CONSENT_TYPE: guest.consent_type}
    person = {"firstName": guest.name, "personalEmail": guest.email} if guest.known else {}
    person = {name: value for name, value in person.items() if value}
    value = names.external_id(session_key=guest.session_key)
    body = _request("Upsert", [value], {**person, **_external(value), **_custom(custom)})
    named = {f"customFields.{key}": value for key, value in custom.items()}
    return Message(body, {**person, "externalIds": value, **named})


def withdrawal(*, external_ids: Sequence[str]) -> Mapping[str, Any]:
    """Return the body that takes a contact's consent back; it makes no contact."""
    return _request("Update", external_ids, _custom({CONSENT_GIVEN: False}))


def identifier(value: str) -> dict[str, Any]:
    """Return the identifier by which a contact is found."""
    source = {"id": settings.MESSENGER_EXTERNAL_SOURCE_ID}
    return {"type": "ExternalId", "value": value, "externalSource": source}


def read(answer: Answer) -> Guest:
    """Return the contact of an answer as a guest. Raises Protocol."""
    body = contact(answer)
    custom = body.get("customFields")
    custom = custom if isinstance(custom, dict) else {}
    given, kind = custom.get(CONSENT_GIVEN), custom.get(CONSENT_TYPE)
    return Guest(
        id=body["id"],
        consent_given=given if isinstance(given, bool) else None,
        consent_type=storable(kind, limit=16, shape=_WORD) if isinstance(kind, str) else None,
        created_date=storable(body.get("createDate"), limit=40, shape=_MOMENT),
    )


def contact(answer: Answer) -> dict[str, Any]:
    """Return the contact of an answer, with an id that can be used. Raises Protocol."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if not is_id(body.get("id")):
        raise Protocol("the platform's contact has no usable id", arrived=True, **about(answer))
    return body


def is_id(value: object) -> TypeGuard[str]:
    """Tell whether this can be the id of something on the platform."""
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def named_in(value: object) -> list[str]:
    """Return the ids of a reference, or of a list of them: ``{"id": …}``."""
    references = value if isinstance(value, list) else [value]
    found = [each.get("id") for each in references if isinstance(each, dict)]
    return [each for each in found if is_id(each)]


def external_ids(body: Mapping[str, Any]) -> list[str]:
    """Return the external ids that a contact has in our source."""
    known = body.get("externalIds")
    ours = [settings.MESSENGER_EXTERNAL_SOURCE_ID.lower()]
    found = [
        each.get("value")
        for each in (known if isinstance(known, list) else [])
        if isinstance(each, dict)
        and [name.lower() for name in named_in(each.get("externalSource"))] == ours
    ]
    # As many and as long as an enrich takes: with more it would take none.
    return [value for value in found if isinstance(value, str) and 0 < len(value) <= 255][:25]


def _request(action: str, values: Sequence[str], contact: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "matchingIdentifiers": [identifier(value) for value in values],
        "action": action,
        "contact": dict(contact),
        "fieldRules": {"defaultAction": "PreferProvided"},
    }


def _external(value: str) -> dict[str, Any]:
    source = {"id": settings.MESSENGER_EXTERNAL_SOURCE_ID}
    return {"externalIds": [{"externalSource": source, "value": value}]}


def _custom(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return custom fields with the schema without which none is taken."""
    schema = {"id": settings.MESSENGER_SCHEMA_ID, "version": settings.MESSENGER_SCHEMA_VERSION}
    return {"schema": schema, "customFields": dict(values)}
