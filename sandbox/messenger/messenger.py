"""The platform: which call goes where, under which name and with which permission."""

import re
from argparse import Namespace
from collections.abc import Callable

from sandbox.errors import not_found
from sandbox.messenger import permissions as may
from sandbox.messenger.checking import Checks
from sandbox.messenger.contact_calls import ContactCalls
from sandbox.messenger.contacts import Contacts
from sandbox.messenger.enriching import Enriching
from sandbox.messenger.fields import field_keys
from sandbox.messenger.gdpr import ErasureRequests
from sandbox.messenger.schemas import Schemas
from sandbox.messenger.sources import ExternalSources
from sandbox.platforms import Route
from sandbox.wire import Answer, Request

_DEPLOYMENTS = "/api/v2/webdeployments/deployments"
_ID = r"/([^/]+)"
_ENRICH = re.compile("/api/v2/externalcontacts/contacts/enrich")
_LOOKUP = re.compile("/api/v2/externalcontacts/identifierlookup/contacts")
_MERGE = re.compile("/api/v2/externalcontacts/contacts/merge")
_CONTACT = re.compile(f"/api/v2/externalcontacts/contacts(?!/schemas$){_ID}")
_SOURCES = re.compile("/api/v2/externalcontacts/externalsources")
_SOURCE = re.compile(_SOURCES.pattern + _ID)
_SCHEMAS = re.compile("/api/v2/externalcontacts/contacts/schemas")
_SCHEMA = re.compile(_SCHEMAS.pattern + _ID)
_VERSION = re.compile(f"{_SCHEMA.pattern}/versions{_ID}")
_GDPR = re.compile("/api/v2/gdpr/requests")
_GDPR_STATUS = re.compile(_GDPR.pattern + _ID)
_DEPLOYMENT = re.compile(_DEPLOYMENTS + _ID)


class Messenger:
    """Keeps the protocol `sandbox.platforms.Platform`; knows the organisation."""

    endpoints: tuple[str, ...] = (
        *("enrich", "lookup", "contact", "delete_contact", "merge"),
        *("sources", "source", "add_source", "schemas", "schema", "add_schema", "edit_schema"),
        *("gdpr", "gdpr_status", "deployment"),
    )
    scopes: tuple[str, ...] = tuple(permission.scope for permission in may.ALL)

    @staticmethod
    def add_arguments(*, add: Callable[..., object]) -> None:
        """Declare what the organisation has from the start; a client can make the rest."""
        there = "one with this id is there from the start; default: none"
        add("--deployment-id", metavar="ID", help=f"messenger deployment: {there}")
        add("--external-source-id", metavar="ID", help=f"external source: {there}")
        add("--contact-schema-id", metavar="ID", help=f"contact schema, version 1: {there}")
        keys = "space-separated custom fields of that schema, such as 'tier_text vip_checkbox'"
        add("--contact-fields", type=field_keys, default=(), metavar="KEYS", help=keys)

    def __init__(self, *, options: Namespace) -> None:
        self._deployment_id = options.deployment_id
        self._contacts = Contacts()
        self._sources = ExternalSources(first=options.external_source_id)
        self._schemas = Schemas(first=options.contact_schema_id, keys=options.contact_fields)
        self._erasures = ErasureRequests(contacts=self._contacts)
        self.routes = (*self._contact_routes(), *self._other_routes())

    def deployment(self, request: Request, deployment_id: str) -> Answer:
        """Return the deployment, or 404."""
        if deployment_id != self._deployment_id:
            return not_found(name="deployment", entity_id=deployment_id)
        shown = {"id": deployment_id, "name": "guestportal", "status": "Active"}
        uri = f"{_DEPLOYMENTS}/{deployment_id}"
        return Answer(200, {**shown, "allowAllDomains": True, "selfUri": uri})

    def forget(self) -> None:
        """Forget contacts and erasures; sources and schemas are those of the start again."""
        self._contacts.forget()
        self._erasures.forget()
        self._sources.forget()
        self._schemas.forget()

    def _contact_routes(self) -> tuple[Route, ...]:
        checks = Checks(sources=self._sources, schemas=self._schemas)
        enrich = Enriching(contacts=self._contacts, checks=checks).enrich
        calls = ContactCalls(contacts=self._contacts, checks=checks)
        return (
            Route("enrich", _ENRICH, enrich, may.ENRICH, creates_guests=True),
            Route("lookup", _LOOKUP, calls.lookup, may.VIEW),
            Route("contact", _CONTACT, calls.get, may.VIEW, method="GET"),
            Route("delete_contact", _CONTACT, calls.delete, may.DELETE, method="DELETE"),
            Route("merge", _MERGE, calls.merge, may.MERGE),
        )

    def _other_routes(self) -> tuple[Route, ...]:
        sources, schemas, erasures = self._sources, self._schemas, self._erasures
        return (
            Route("sources", _SOURCES, sources.find, may.VIEW_SOURCES, method="GET"),
            Route("source", _SOURCE, sources.get, may.VIEW_SOURCES, method="GET"),
            Route("add_source", _SOURCES, sources.add, may.ADD_SOURCE),
            Route("schemas", _SCHEMAS, schemas.all, may.VIEW_SCHEMAS, method="GET"),
            Route("schema", _SCHEMA, schemas.get, may.VIEW_SCHEMAS, method="GET"),
            Route("schema", _VERSION, schemas.get, may.VIEW_SCHEMAS, method="GET"),
            Route("add_schema", _SCHEMAS, schemas.add, may.ADD_SCHEMA),
            Route("edit_schema", _SCHEMA, schemas.edit, may.EDIT_SCHEMA, method="PUT"),
            Route("gdpr", _GDPR, erasures.add, may.ADD_GDPR),
            Route("gdpr_status", _GDPR_STATUS, erasures.poll, may.VIEW_GDPR, method="GET"),
            Route("deployment", _DEPLOYMENT, self.deployment, may.VIEW_DEPLOYMENTS, method="GET"),
        )
