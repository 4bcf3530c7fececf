"""The sync API as OpenAPI describes it; the webchat's room is `provisioning.api.openapi`.

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

from crm.sync.preconditions import PreconditionFailed
from crm.sync.serializers import BulkAnswer, BulkRequest, RecordList, ShownRecord, WholeRecord

TAG = "CRM"
NOT_FOUND = (404, "not_found", "There is nothing at this address.")
NO_HASH = (400, "invalid_request", "This is not a hash of 64 hexadecimal digits.")
CHANGED = (
    PreconditionFailed.status_code,
    PreconditionFailed.default_code,
    PreconditionFailed.default_detail,
)


class BearerToken(OpenApiAuthenticationExtension):
    """A token of `manage.py issue_api_token`."""

    target_class = "crm.sync.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the security scheme (RFC 6750)."""
        return {"type": "http", "scheme": "bearer"}


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
IF_MATCH = _header("If-Match", "Only if the record still has this ETag; `*`: only if there is one.")
IF_NEW = _header("If-None-Match", "`*`: only if there is no record yet.")
IF_NONE_MATCH = _header("If-None-Match", "The ETag you hold: 304 while the record has it.")


class DescribedRecords(OpenApiViewExtension):
    """Describes list and bulk upsert."""

    target_class = "crm.sync.views.RecordsView"

    def view_replacement(self) -> Any:
        """Return the view with its description."""
        listed = extend_schema(
            operation_id="crm_list",
            summary="List the records, a page at a time",
            tags=[TAG],
            parameters=[
                _number("limit", 1, 1000, 100, "Records a page."),
                _number("after", 0, 2**63 - 1, 0, "As `next` of the page before says."),
            ],
            responses=RecordList,
            extensions={
                "x-refusals": [
                    (400, "invalid_request", "limit must be a whole number from 1 to 1000.")
                ]
            },
        )
        upserted = extend_schema(
            operation_id="crm_upsert",
            summary="Create or update up to 10,000 records",
            tags=[TAG],
            request=BulkRequest,
            responses=BulkAnswer,
        )
        return extend_schema_view(get=listed, post=upserted)(type("View", (self.target,), {}))


class DescribedRecord(OpenApiViewExtension):
    """Describes what can be done with one record."""

    target_class = "crm.sync.views.RecordView"

    def view_replacement(self) -> Any:
        """Return the view with its description."""
        view = type("View", (self.target,), {})
        return extend_schema_view(get=_SHOWN, put=_REPLACED, delete=_DELETED)(view)


_SHOWN = extend_schema(
    operation_id="crm_show",
    summary="Show one record",
    tags=[TAG],
    parameters=[SESSION_HASH, IF_NONE_MATCH],
    responses={200: ShownRecord, 304: OpenApiResponse(description="You hold it already.")},
    extensions={"x-refusals": [NO_HASH, NOT_FOUND]},
)
_REPLACED = extend_schema(
    operation_id="crm_replace",
    summary="Create or replace one record",
    tags=[TAG],
    parameters=[SESSION_HASH, IF_MATCH, IF_NEW],
    request=WholeRecord,
    responses={200: ShownRecord, 201: ShownRecord},
    extensions={"x-refusals": [NO_HASH, CHANGED]},
)
_DELETED = extend_schema(
    operation_id="crm_delete",
    summary="Delete one record",
    tags=[TAG],
    parameters=[SESSION_HASH, IF_MATCH],
    responses={204: None},
    extensions={"x-refusals": [NO_HASH, NOT_FOUND, CHANGED]},
)
