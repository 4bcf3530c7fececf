"""What an organisation is set up with: external source, contact schema, messenger deployment.

Paths, fields and the prefix filter by name are those of the vendor's SDK 269 (`DataSchema`,
`ExternalSource`, `WebDeployment`). A change of a schema makes its next version, and names the one
it was made from.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import quote

from backoffice.foreign import storable
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Protocol
from provisioning.genesys.messenger import contacts, fields
from provisioning.genesys.messenger.api import CONTACTS, Api
from provisioning.genesys.retry import about
from provisioning.genesys.transport import Answer

NAME = "guestportal"  # of the source and the schema that are made here
_SOURCES = "/api/v2/externalcontacts/externalsources"
_SCHEMAS = f"{CONTACTS}/schemas"
_DEPLOYMENTS = "/api/v2/webdeployments/deployments"
_REMEDY = "Look at what the organisation has, then run the command again: it goes on from there."


@dataclass(frozen=True)
class Named:
    """A source or a deployment; `state` is the platform's word for a deployment's."""

    id: str
    name: str
    active: bool
    state: str = ""


@dataclass(frozen=True)
class Schema:
    """One version of a contact schema; `document` is its JSON schema."""

    id: str
    name: str
    version: int
    enabled: bool
    document: Mapping[str, Any] = field(repr=False)

    @property
    def keys(self) -> frozenset[str]:
        """Return the keys of its fields."""
        return frozenset(self.document["properties"])


class Organisation:
    """Reads give None where there is no such thing. Each call raises PlatformError."""

    def __init__(self, api: Api, deadline: Deadline) -> None:
        self._api = api
        self._deadline = deadline

    def deployment(self, deployment_id: str) -> Named | None:
        """Return a messenger deployment."""
        answer = self._api.get(_DEPLOYMENTS, deployment_id, self._deadline)
        return _named(answer.body, answer) if answer else None

    def source(self, source_id: str) -> Named | None:
        """Return an external source."""
        answer = self._api.get(_SOURCES, source_id, self._deadline)
        return _named(answer.body, answer) if answer else None

    def source_called(self, name: str) -> Named | None:
        """Return the external source of exactly this name."""
        answer = self._api.make("GET", f"{_SOURCES}?name={quote(name)}", self._deadline)
        found = (_named(each, answer) for each in _entities(answer))
        return next((source for source in found if source.name == name), None)

    def add_source(self, name: str) -> Named:
        """Make an external source."""
        answer = self._change("POST", _SOURCES, {"name": name, "active": True})
        return _named(answer.body, answer)

    def schema(self, schema_id: str, version: int | None = None) -> Schema | None:
        """Return a version of a schema, the newest where none is named."""
        path = f"{_SCHEMAS}/{quote(schema_id)}"
        path += f"/versions/{version}" if version else ""
        answer = self._api.make("GET", path, self._deadline)
        return _schema(answer.body, answer) if answer else None

    def schema_called(self, name: str) -> Schema | None:
        """Return the newest version of the schema of this name."""
        answer = self._api.make("GET", _SCHEMAS, self._deadline)
        ids = [each.get("id") for each in _entities(answer) if each.get("name") == name]
        return next((self.schema(each) for each in ids if contacts.is_id(each)), None)

    def add_schema(self, name: str, keys: Collection[str]) -> Schema:
        """Make a schema with these fields."""
        document = {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "title": name,
            "description": "What guestportal keeps of a visitor's consent and CRM record",
            "properties": {key: fields.written(key=key) for key in keys},
        }
        answer = self._change("POST", _SCHEMAS, _schema_body(name, document))
        return _schema(answer.body, answer)

    def extend_schema(self, schema: Schema, keys: Collection[str]) -> Schema:
        """Make the next version of a schema, with these fields beside its own."""
        new = {key: fields.written(key=key) for key in keys}
        document = {**schema.document, "properties": {**schema.document["properties"], **new}}
        body = {**_schema_body(schema.name, document), "version": schema.version}
        answer = self._change("PUT", f"{_SCHEMAS}/{quote(schema.id)}", body)
        return _schema(answer.body, answer)

    def _change(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        """Make a change, never twice: whoever runs the command again finds what was made."""
        answer = self._api.make(
            method, path, self._deadline, body, repeatable=False, remedy=_REMEDY
        )
        if answer is None:
            raise Protocol("the platform does not know what is to be changed", status=404)
        return answer


def _schema_body(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "appliesTo": ["CONTACT"], "enabled": True, "jsonSchema": document}


def _entities(answer: Answer | None) -> Iterator[Mapping[str, Any]]:
    body = answer.body if answer and isinstance(answer.body, dict) else {}
    listed = body.get("entities")
    yield from (
        each for each in (listed if isinstance(listed, list) else []) if isinstance(each, dict)
    )


def _named(body: Any, answer: Answer | None) -> Named:
    if not isinstance(body, dict) or not contacts.is_id(body.get("id")):
        raise _nonsense(answer)
    state = storable(body.get("status"), limit=16, shape="[A-Za-z]{1,16}")
    name = storable(body.get("name"), limit=200)
    return Named(body["id"], name, body.get("active") is not False, state)


def _schema(body: Any, answer: Answer) -> Schema:
    document = body.get("jsonSchema") if isinstance(body, dict) else None
    properties = document.get("properties") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(properties, dict):
        raise _nonsense(answer)
    number, name = body.get("version"), storable(body.get("name"), limit=200)
    if not contacts.is_id(body.get("id")) or not _is_version(number):
        raise _nonsense(answer)
    return Schema(body["id"], name, number, body.get("enabled") is not False, document)


def _is_version(value: object) -> TypeGuard[int]:
    """Tell whether this can be set as MESSENGER_SCHEMA_VERSION."""
    return type(value) is int and 1 <= value <= 1_000_000


def _nonsense(answer: Answer | None) -> Protocol:
    details = about(answer) if answer else {}
    return Protocol("the platform's answer is not what was asked for", **details)
