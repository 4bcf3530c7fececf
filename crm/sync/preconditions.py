"""``If-Match``, ``If-None-Match`` (RFC 9110 section 13): nobody overwrites what they never saw."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from crm.models import CrmRecord

# RFC 9110 section 8.8.3, and the list of section 5.6.1, whose elements may be empty.
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,(?:[ \t]*{_TAG})?)*[ \t]*")
_ANY = "*"


class PreconditionFailed(APIException):
    """The record is not the one that the caller has seen."""

    status_code = 412
    default_code = "precondition_failed"
    default_detail = "The record was changed, made or deleted since it was read."


@dataclass(frozen=True)
class Preconditions:
    """The entity tags of one request; None where the header was not sent."""

    match: Sequence[str] | None
    none_match: Sequence[str] | None

    def check(self, *, record: CrmRecord | None) -> None:
        """Raise PreconditionFailed unless a change of `record` (None: absent) may go on."""
        self.check_match(record=record)
        if self.none_match is not None and _names_weakly(self.none_match, record):
            raise PreconditionFailed

    def check_match(self, *, record: CrmRecord | None) -> None:
        """Raise PreconditionFailed where If-Match was sent and does not name `record`."""
        if self.match is not None and not _names(self.match, record):
            raise PreconditionFailed

    def is_known(self, *, record: CrmRecord) -> bool:
        """Tell whether the caller of a GET holds this very `record` (then 304)."""
        return self.none_match is not None and _names_weakly(self.none_match, record)


def preconditions(*, request: Request) -> Preconditions:
    """Return what `request` demands. Raises ValidationError where that cannot be read."""
    return Preconditions(_tags(request, "If-Match"), _tags(request, "If-None-Match"))


def refuse_preconditions(*, request: Request) -> None:
    """Raise ValidationError where there is one: it could not hold for each of many records."""
    sentence = "Many records have no entity tag; give each its version."
    for header in ("If-Match", "If-None-Match"):
        if header in request.headers:
            raise ValidationError({header: [sentence]})


def etag(*, record: CrmRecord) -> str:
    """Return the strong entity tag of `record`.

    The row's number is in it: a record that is deleted and made anew starts again at version 1.
    """
    return f'"{record.pk}-{record.version}"'


def _tags(request: Request, header: str) -> list[str] | None:
    """Return the tags of a header, which a server joins with commas where it was sent twice."""
    value = request.headers.get(header)
    if value is None:
        return None
    if value.strip(" \t") == _ANY:
        return [_ANY]
    if not _LIST.fullmatch(value):
        sentence = f'{header} is * or a list of entity tags such as "4-1", with their quotes.'
        raise ValidationError({header: [sentence]})
    return re.findall(_TAG, value)


def _names(tags: Sequence[str], record: CrmRecord | None) -> bool:
    """Compare strongly: a weak tag is never equal (section 8.8.3.2)."""
    return record is not None and (_ANY in tags or etag(record=record) in tags)


def _names_weakly(tags: Sequence[str], record: CrmRecord | None) -> bool:
    return _names([tag.removeprefix("W/") for tag in tags], record)
