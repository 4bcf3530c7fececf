"""Plain calls to the messenger platform, of an organisation that is set up."""

from typing import Any

from tests.sandbox.platform_calls import Reply, bearer, call
from tests.support.sandbox import Sandbox

EXTERNAL = "/api/v2/externalcontacts"
ENRICH = f"{EXTERNAL}/contacts/enrich"
LOOKUP = f"{EXTERNAL}/identifierlookup/contacts"
SOURCE = {"id": "5a0c7a3e-0000-4000-8000-000000000001"}
SCHEMA = {"id": "5c4e0a00-0000-4000-8000-000000000001", "version": 1}
DEPLOYMENT_ID = "de910000-0000-4000-8000-000000000001"
OPTIONS = (
    *("--external-source-id", SOURCE["id"], "--deployment-id", DEPLOYMENT_ID),
    *("--contact-schema-id", str(SCHEMA["id"])),
    *("--contact-fields", "consent_given_checkbox tier_text tickets_integer"),
)


def ask(sandbox: Sandbox, path: str, body: Any = None, method: str = "POST") -> Reply:
    authorization = bearer(sandbox, scope="")
    return call(sandbox, path, body, method=method, Authorization=authorization)


def get(sandbox: Sandbox, path: str) -> Reply:
    return ask(sandbox, path, method="GET")


def identifier(value: str = "P1") -> dict[str, Any]:
    return {"type": "ExternalId", "value": value, "externalSource": SOURCE}


def enrichment(value: str = "P1", **contact: Any) -> dict[str, Any]:
    """Return the body of an upsert by external id, as guestportal sends it."""
    return {
        "matchingIdentifiers": [identifier(value)],
        "action": "Upsert",
        "contact": {
            "firstName": "Jane",
            "externalIds": [{"externalSource": SOURCE, "value": value}],
            "schema": SCHEMA,
            "customFields": {"consent_given_checkbox": True, "tier_text": "Enterprise"},
            **contact,
        },
        "fieldRules": {"defaultAction": "PreferProvided"},
    }


def enrich(sandbox: Sandbox, value: str = "P1", **contact: Any) -> Reply:
    return ask(sandbox, ENRICH, enrichment(value, **contact))


def look_up(sandbox: Sandbox, value: str = "P1") -> Reply:
    return ask(sandbox, LOOKUP, identifier(value))


def contact(sandbox: Sandbox, contact_id: str, method: str = "GET") -> Reply:
    return ask(sandbox, f"{EXTERNAL}/contacts/{contact_id}", method=method)
