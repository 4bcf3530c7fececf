"""The sync API as OpenAPI describes it; the webchat API is described in `provisioning.api.openapi`.

What every answer under /api/ shares is added by the project, from ``x-refusals`` too.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiViewExtension
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)

from crm.sync.paging import DEFAULT_SIZE, LARGEST_NUMBER, LARGEST_SIZE
from crm.sync.preconditions import PreconditionFailed
from crm.sync.records import LegalHold
from crm.sync.serializers import BulkAnswer, BulkRequest, RecordList, ShownRecord, WholeRecord
from crm.validators import NOT_A_HASH

TAGS = ["CRM"]
NOT_FOUND = (404, "not_found", "There is nothing at this address.")
NO_HASH = (400, "invalid_request", NOT_A_HASH)
NO_LIMIT = (400, "invalid_request", f"limit must be a whole number from 1 to {LARGEST_SIZE}.")
CHANGED = (
    PreconditionFailed.status_code,
    PreconditionFailed.default_code,
    PreconditionFailed.default_detail,
)
ON_HOLD = (LegalHold.status_code, LegalHold.default_code, LegalHold.default_detail)


def _number(name: str, low: int, high: int, default: int, description: str) -> OpenApiParameter:
    limits = {"type": "integer", "minimum": low, "maximum": high, "default": default}
    return OpenApiParameter(name=name, type=limits, description=description)


def _header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(
        name=name, location=OpenApiParameter.HEADER, type=str, description=description
    )


SESSION_HASH = OpenApiParameter(
    name="session_hash",
    location=OpenApiParameter.PATH,
    type={"type": "string", "pattern": "^[0-9a-fA-F]{64}$"},
    description="SHA-256 of the session id, hexadecimal.",
)
IF_MATCH = _header(
    "If-Match", "Only if the record still has this ETag, in its quotes; `*`: only if there is one."
)
IF_NEW = _header("If-None-Match", "`*`: only if there is no record yet.")
IF_NONE_MATCH = _header("If-None-Match", "The ETag you hold: 304 while the record has it.")

_RECORDS = {
    "get": extend_schema(
        operation_id="crm_list",
        summary="List the records, a page at a time",
        tags=TAGS,
        parameters=[
            _number("limit", 1, LARGEST_SIZE, DEFAULT_SIZE, "Records a page."),
            _number("after", 0, LARGEST_NUMBER, 0, "As `next` of the page before says."),
        ],
        responses=RecordList,
        extensions={"x-refusals": [NO_LIMIT]},
    ),
    "post": extend_schema(
        operation_id="crm_upsert",
        summary="Create or update up to 10,000 records",
        tags=TAGS,
        request=BulkRequest,
        responses=BulkAnswer,
    ),
}
_RECORD = {
    "get": extend_schema(
        operation_id="crm_show",
        summary="Show one record",
        tags=TAGS,
        parameters=[SESSION_HASH, IF_NONE_MATCH],
        responses={200: ShownRecord, 304: OpenApiResponse(description="You hold it already.")},
        extensions={"x-refusals": [NO_HASH, NOT_FOUND]},
    ),
    "put": extend_schema(
        operation_id="crm_replace",
        summary="Create or replace one record",
        tags=TAGS,
        parameters=[SESSION_HASH, IF_MATCH, IF_NEW],
        request=WholeRecord,
        responses={200: ShownRecord, 201: ShownRecord},
        extensions={"x-refusals": [NO_HASH, CHANGED]},
    ),
    "delete": extend_schema(
        operation_id="crm_delete",
        summary="Delete one record",
        tags=TAGS,
        parameters=[SESSION_HASH, IF_MATCH],
        responses={204: None},
        extensions={"x-refusals": [NO_HASH, NOT_FOUND, CHANGED, ON_HOLD]},
    ),
}


class DescribedRecords(OpenApiViewExtension):
    """Describes list and bulk upsert."""

    target_class = "crm.sync.views.RecordsView"

    def view_replacement(self) -> Any:
        return extend_schema_view(**_RECORDS)(type("View", (self.target,), {}))


class DescribedRecord(OpenApiViewExtension):
    """Describes what can be done with one record."""

    target_class = "crm.sync.views.RecordView"

    def view_replacement(self) -> Any:
        return extend_schema_view(**_RECORD)(type("View", (self.target,), {}))


class BearerToken(OpenApiAuthenticationExtension):
    """A token of `manage.py issue_api_token`."""

    target_class = "crm.sync.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the security scheme (RFC 6750)."""
        return {"type": "http", "scheme": "bearer"}
