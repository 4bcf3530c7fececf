"""The sync API: `/api/crm/records`, server to server. Translates, and decides nothing."""

from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.models import CrmRecord
from crm.sessions import key_for_hash
from crm.sync import records
from crm.sync.paging import page_of
from crm.sync.preconditions import etag, preconditions
from crm.sync.serializers import WholeRecord, shown
from crm.sync.tokens import RecordPermissions, TokenAuthentication


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
        page = page_of(request)
        # Without a pepper the stored key is the plain hash; with one nobody can tell it.
        known = not settings.SESSION_HASH_PEPPER
        records = [
            shown(record=record, session_hash=record.session_hash if known else None)
            for record in page.records
        ]
        return Response({"records": records, "next": page.next})

    def post(self, request: Request) -> Response:
        """Create or update up to 10,000 records; each is kept or refused for itself."""
        patches = list(records.patches(records.sent_records(request.data)))
        try:
            results = records.upsert_records(patches=patches, **_whence(request))
        except records.Overtaken as exc:
            raise Contended from exc
        return Response(records.answer(results))


class RecordView(SyncView):
    """``/api/crm/records/{sessionHash}``: one record, by the plain SHA-256 of its session id."""

    def get(self, request: Request, session_hash: str) -> Response:
        """Return the record, or 304 to whoever holds it already."""
        record = _find(_key(session_hash))
        if preconditions(request).is_known(record):
            return Response(status=304, headers={"ETag": etag(record)})
        return _one(record, session_hash)

    def put(self, request: Request, session_hash: str) -> Response:
        """Make the record what the body says, in full."""
        key = _key(session_hash)
        serializer = WholeRecord(data=request.data)
        serializer.is_valid(raise_exception=True)
        record, made = records.replace_record(
            key=key,
            values=serializer.validated_data,
            preconditions=preconditions(request),
            **_whence(request),
        )
        return _one(record, session_hash, status=201 if made else 200)

    def delete(self, request: Request, session_hash: str) -> Response:
        """Delete the record: from now on the session is an unknown visitor."""
        deleted = records.delete_record(
            key=_key(session_hash), preconditions=preconditions(request), **_whence(request)
        )
        if not deleted:
            raise NotFound
        return Response(status=204)


def _one(record: CrmRecord, session_hash: str, *, status: int = 200) -> Response:
    body = shown(record=record, session_hash=session_hash.lower())
    return Response(body, status=status, headers={"ETag": etag(record)})


def _find(key: str) -> CrmRecord:
    record = CrmRecord.objects.filter(session_hash=key).first()
    if record is None:
        raise NotFound
    return record


def _key(session_hash: str) -> str:
    try:
        return key_for_hash(session_hash=session_hash.lower())
    except ValueError as exc:
        sentence = "This is not a hash of 64 hexadecimal digits."
        raise ValidationError({"sessionHash": [sentence]}) from exc


def _whence(request: Request) -> dict[str, str]:
    """Return who asks, as the audit log names them."""
    return {"actor": f"api:{request.user.pk}", "request_id": request.META["REQUEST_ID"]}
