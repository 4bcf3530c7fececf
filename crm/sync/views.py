"""The sync API: `/api/crm/records`, server to server. Translates, and decides nothing."""

from typing import Any

from django.conf import settings
from django.core import exceptions
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.models import CrmRecord
from crm.sessions import key_for_hash
from crm.sync import records
from crm.sync.paging import page_of
from crm.sync.preconditions import etag, preconditions, refuse_preconditions
from crm.sync.serializers import WholeRecord, shown
from crm.sync.tokens import RecordPermissions, TokenAuthentication
from crm.upsert import Overtaken
from crm.validators import plain_hash


class Contended(APIException):
    """Others kept changing the same records; nothing was stored."""

    status_code = 503
    default_code = "storage_unavailable"
    default_detail = "Others keep changing these records; nothing was stored."
    wait = 1


class SyncView(APIView):
    """What the sync calls share: a token's user, its model permissions, never cached."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (RecordPermissions,)
    queryset = CrmRecord.objects.all()

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(*args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class RecordsView(SyncView):
    """``/api/crm/records``: list, and upsert in bulk."""

    def get(self, request: Request) -> Response:
        """Return one page in the order of creation; `next` leads to the following one."""
        page = page_of(request=request)
        # Without a pepper the stored key is the plain hash; with one nobody can tell it.
        known = not settings.SESSION_HASH_PEPPER
        listed = [
            shown(record=record, session_hash=record.session_hash if known else None)
            for record in page.records
        ]
        return Response({"records": listed, "next": page.next})

    def post(self, request: Request) -> Response:
        """Create or update up to 10,000 records; each is kept or refused for itself."""
        refuse_preconditions(request=request)
        patches = records.checked_patches(body=request.data)
        try:
            plans = records.upsert_records(patches=patches, **_caller(request))
        except Overtaken as exc:
            raise Contended from exc
        return Response(records.bulk_results(plans=plans))


class RecordView(SyncView):
    """``/api/crm/records/{sessionHash}``: one record, by the plain SHA-256 of its session id."""

    def get(self, request: Request, session_hash: str) -> Response:
        """Return the record, or 304 to a caller who holds it already."""
        plain = _plain(session_hash)
        record = CrmRecord.objects.filter(session_hash=key_for_hash(session_hash=plain)).first()
        if record is None:
            raise NotFound
        demanded = preconditions(request=request)
        demanded.check_match(record=record)
        if demanded.is_known(record=record):
            return Response(status=304, headers={"ETag": etag(record=record)})
        return _one(record, plain)

    def put(self, request: Request, session_hash: str) -> Response:
        """Make the record what the body says, in full."""
        plain = _plain(session_hash)
        serializer = WholeRecord(data=request.data)
        serializer.is_valid(raise_exception=True)
        record, made = records.replace_record(
            key=key_for_hash(session_hash=plain),
            values=serializer.validated_data,
            preconditions=preconditions(request=request),
            **_caller(request),
        )
        return _one(record, plain, status=201 if made else 200)

    def delete(self, request: Request, session_hash: str) -> Response:
        """Delete the record: from now on the session is an unknown visitor."""
        deleted = records.delete_record(
            key=key_for_hash(session_hash=_plain(session_hash)),
            preconditions=preconditions(request=request),
            **_caller(request),
        )
        if not deleted:
            raise NotFound
        return Response(status=204)


def _one(record: CrmRecord, plain: str, *, status: int = 200) -> Response:
    body = shown(record=record, session_hash=plain)
    return Response(body, status=status, headers={"ETag": etag(record=record)})


def _plain(session_hash: str) -> str:
    try:
        return plain_hash(session_hash)
    except exceptions.ValidationError as exc:
        raise ValidationError({"sessionHash": exc.messages}) from exc


def _caller(request: Request) -> dict[str, str]:
    """Return who asks, and in which request, as the audit log names them."""
    return {"actor": f"api:{request.user.pk}", "request_id": request.META["EVENT_REQUEST_ID"]}
