"""Contact schemas: which custom fields a contact may have. Every change makes a version."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.errors import error, invalid_fields, invalid_json, not_found
from sandbox.messenger.fields import is_property, property_of
from sandbox.wire import Answer, Request, new_id, timestamp

_MOST = 100
_URI = "/api/v2/externalcontacts/contacts/schemas"


class Schemas:
    """The schemas of the organisation; one may be there from the start."""

    def __init__(self, *, first: str | None, keys: Sequence[str]) -> None:
        self._first, self._keys = first, keys
        self._schemas: dict[str, list[dict[str, Any]]] = {}
        self.forget()

    def properties(self, *, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the fields of a schema's `id` and `version`; None where it is not in force."""
        for version in self._schemas.get(str(schema.get("id")), ()):
            if version["version"] == schema.get("version") and version["enabled"]:
                return dict(version["jsonSchema"]["properties"])
        return None

    def add(self, request: Request) -> Answer:
        """Make a schema; two of one name are a conflict."""
        body = request.json_object()
        if body is None:
            return invalid_json()
        if problems := _problems(body):
            return invalid_fields(problems=problems)
        if any(versions[-1]["name"] == body["name"] for versions in self._schemas.values()):
            return error(409, "conflict", "A schema has this name already.")
        if len(self._schemas) >= _MOST:
            return error(409, "limit", f"There are {_MOST} schemas already.")
        return Answer(200, self._keep(new_id(), body))

    def edit(self, request: Request, schema_id: str) -> Answer:
        """Make the next version; the body names the one it was made from."""
        body = request.json_object()
        if body is None:
            return invalid_json()
        if schema_id not in self._schemas:
            return not_found(name="schema", entity_id=schema_id)
        if problems := _problems(body):
            return invalid_fields(problems=problems)
        if body.get("version") != self._schemas[schema_id][-1]["version"]:
            return error(409, "conflict", "The schema has another version by now.")
        if len(self._schemas[schema_id]) >= _MOST:
            return error(409, "limit", f"There are {_MOST} versions already.")
        return Answer(200, self._keep(schema_id, body))

    def all(self, request: Request) -> Answer:
        """Return the newest version of each."""
        found = [versions[-1] for versions in self._schemas.values()]
        return Answer(200, {"total": len(found), "entities": found, "selfUri": _URI})

    def get(self, request: Request, schema_id: str, version: str = "") -> Answer:
        """Return a version, the newest where none is named, or 404."""
        for known in reversed(self._schemas.get(schema_id, ())):
            if version in ("", str(known["version"])):
                return Answer(200, known)
        return not_found(name="schema", entity_id=schema_id)

    def forget(self) -> None:
        """Go back to how it was at the start."""
        self._schemas.clear()
        if self._first:
            properties = {key: property_of(key) for key in self._keys}
            self._keep(
                self._first, {"name": "guestportal", "jsonSchema": {"properties": properties}}
            )

    def _keep(self, schema_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        versions = self._schemas.setdefault(schema_id, [])
        schema = {
            "id": schema_id,
            "name": body["name"],
            "version": len(versions) + 1,
            "appliesTo": ["CONTACT"],
            "enabled": bool(body.get("enabled", True)),
            "dateCreated": timestamp(datetime.now(UTC)),
            "jsonSchema": {"type": "object", **body["jsonSchema"]},
            "selfUri": f"{_URI}/{schema_id}",
        }
        versions.append(schema)
        return schema


def _problems(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields at fault, each with its error code."""
    name, document = body.get("name"), body.get("jsonSchema")
    if not isinstance(name, str) or not name:
        return {"name": "invalid" if name else "missing"}
    if body.get("appliesTo", ["CONTACT"]) != ["CONTACT"]:
        return {"appliesTo": "invalid"}
    properties = document.get("properties") if isinstance(document, dict) else None
    if not isinstance(properties, dict) or not properties:
        return {"jsonSchema.properties": "missing"}
    return {
        f"jsonSchema.properties.{key}": "invalid"
        for key, value in properties.items()
        if not is_property(key, value)
    }
