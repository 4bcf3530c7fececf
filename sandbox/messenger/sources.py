"""External sources: whose the external ids of contacts are."""

from typing import Any
from urllib.parse import parse_qs

from sandbox.errors import error, invalid_fields, invalid_json, not_found
from sandbox.wire import Answer, Request, new_id

_MOST = 1000
_URI = "/api/v2/externalcontacts/externalsources"


class ExternalSources:
    """The sources of the organisation; one may be there from the start."""

    def __init__(self, *, first: str | None) -> None:
        self._first = first
        self._sources: dict[str, dict[str, Any]] = {}
        self.forget()

    def has(self, source_id: object) -> bool:
        """Tell whether this is the id of a source."""
        return isinstance(source_id, str) and source_id in self._sources

    def add(self, request: Request) -> Answer:
        """Make a source; two of one name are a conflict."""
        body = request.json_object()
        if body is None:
            return invalid_json()
        name = body.get("name")
        if not isinstance(name, str) or not 0 < len(name.strip()) <= 200:
            return invalid_fields(problems={"name": "invalid" if name else "missing"})
        if self._named(name.strip()):
            return error(409, "conflict", "An external source has this name already.")
        if len(self._sources) >= _MOST:
            return error(409, "limit", f"There are {_MOST} external sources already.")
        return Answer(200, self._keep(new_id(), name.strip(), bool(body.get("active", True))))

    def find(self, request: Request) -> Answer:
        """Return all of them, or those of a `name`, on one page."""
        name = parse_qs(request.query).get("name", [None])[-1]
        found = self._named(name) if name else list(self._sources.values())
        return Answer(200, {"entities": found, "cursors": {}, "selfUri": _URI})

    def get(self, request: Request, source_id: str) -> Answer:
        """Return one, or 404."""
        source = self._sources.get(source_id)
        return Answer(200, source) if source else not_found(name="source", entity_id=source_id)

    def forget(self) -> None:
        """Go back to how it was at the start."""
        self._sources.clear()
        if self._first:
            self._keep(self._first, "guestportal", active=True)

    def _keep(self, source_id: str, name: str, active: bool) -> dict[str, Any]:
        source = {"id": source_id, "name": name, "active": active, "selfUri": f"{_URI}/{source_id}"}
        self._sources[source_id] = source
        return source

    def _named(self, name: str) -> list[dict[str, Any]]:
        return [source for source in self._sources.values() if source["name"] == name]
