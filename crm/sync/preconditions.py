"""``If-Match``, ``If-None-Match`` (RFC 9110 section 13): nobody overwrites what they never saw."""

from dataclasses import dataclass

from django.utils.http import parse_etags
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from crm.models import CrmRecord


class PreconditionFailed(APIException):
    """The record is not the one that the caller has seen."""

    status_code = 412
    default_code = "precondition_failed"
    default_detail = "The record was changed, made or deleted since it was read."


@dataclass(frozen=True)
class Preconditions:
    """The entity tags of one request, as `parse_etags` gives them; empty: none were sent."""

    match: list[str]
    none_match: list[str]

    def check(self, *, record: CrmRecord | None) -> None:
        """Raise PreconditionFailed unless a change of `record` (None: absent) may go on."""
        if self.match and not _names(self.match, record):
            raise PreconditionFailed
        if self.none_match and _names(self.none_match, record):
            raise PreconditionFailed

    def is_known(self, *, record: CrmRecord) -> bool:
        """Tell whether the caller of a GET holds this very `record` (then 304)."""
        return bool(self.none_match) and _names(self.none_match, record)


def preconditions(*, request: Request) -> Preconditions:
    """Return what `request` demands."""
    headers = request.headers
    return Preconditions(
        parse_etags(headers.get("If-Match", "")), parse_etags(headers.get("If-None-Match", ""))
    )


def etag(*, record: CrmRecord) -> str:
    """Return the strong entity tag of `record`.

    The row's number is in it: a record that is deleted and made anew starts again at version 1.
    """
    return f'"{record.pk}-{record.version}"'


def _names(tags: list[str], record: CrmRecord | None) -> bool:
    return record is not None and ("*" in tags or etag(record=record) in tags)
