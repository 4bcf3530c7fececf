"""The tutorial's Guest API: create a guest, issue its token.

The tutorial is the only contract there is for these addresses (docs/platforms.md); paths, scopes
and credential style are therefore settings. It has no call to look a guest up, to change or to
delete one.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import quote

from django.conf import settings

from backoffice.foreign import storable
from provisioning.genesys import checking
from provisioning.genesys.calls import Calls, Sending, expect_success
from provisioning.genesys.checking import Check
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError, Protocol, Refused
from provisioning.genesys.gate import Reservation
from provisioning.genesys.platform import Guest, GuestRequest, GuestToken, Message
from provisioning.genesys.retry import about
from provisioning.genesys.transport import Answer

DEFAULT_ATTRIBUTES = ("crmTier", "historicalTickets", "integrationSource")  # as the seed
ANONYMOUS_NAME = "Anonymous Visitor"
_GUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")
# ISO 8601 in digits and its own separators: `fromisoformat` takes any character between the parts.
_MOMENT = r"[0-9TtZz:.,+ W-]{8,40}"
# Of those, what browsers read too. They know no weeks, and no digits without separators.
_READABLE = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d+)?)?(Z|[+-]\d\d:\d\d)?"
_WORD = r"[A-Za-z_-]{1,16}"


def connect() -> "GuestApi":
    """Return the platform as the settings describe it."""
    return GuestApi(Calls(grants=settings.GENESYS_SCOPES.split()))


class GuestApi:
    """Keeps the protocol `Platform`."""

    follows_up = False

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    def what_is_sent(self, *, guest: GuestRequest) -> Message:
        """Return the JSON object in the seed's order."""
        body = {
            "name": guest.name or ANONYMOUS_NAME,
            "email": guest.email,
            "consentGiven": guest.consent_given,
            "consentType": guest.consent_type,
            "attributes": dict(guest.attributes),
        }
        fields = {name: value for name, value in body.items() if name != "attributes"}
        fields |= {f"attributes.{name}": value for name, value in guest.attributes.items()}
        return Message(body, fields)

    def reserve(
        self, *, guest: GuestRequest | None, token: bool, deadline: Deadline
    ) -> Reservation:
        """Reserve all calls at once, so that no guest is made that cannot get a token."""
        return self.calls.reserve(calls=bool(guest) + token, deadline=deadline)

    def create_guest(
        self,
        *,
        guest: GuestRequest,
        reservation: Reservation,
        deadline: Deadline,
        consent_stands: Callable[[], bool],
    ) -> Guest:
        """Create `guest`; never repeated once it may have arrived: that would make a second one."""
        sending = Sending()
        try:
            answer = self.calls.make(
                settings.GENESYS_GUESTS_PATH,
                guest.message.body,
                reservation=reservation,
                deadline=deadline,
                repeatable=False,
                sending=sending,
            )
            if answer.status in (400, 403, 422):
                raise Refused("the platform refused the guest", **about(answer))
            expect_success(answer)
            return _read_guest(answer)
        except PlatformError as exc:
            exc.sent = sending.done
            raise

    def issue_token(
        self, *, guest_id: str, generation: int, reservation: Reservation, deadline: Deadline
    ) -> GuestToken:
        """Issue an ephemeral token: each call another one."""
        path = f"{settings.GENESYS_GUESTS_PATH}/{quote(guest_id, safe='')}/tokens"
        answer = self.calls.make(path, {}, reservation=reservation, deadline=deadline)
        expect_success(answer)
        return _read_guest_token(answer)

    def answer(self, *, guest_id: str, consent_given: bool) -> Mapping[str, Any]:
        """Return nothing: the token is all that a page needs."""
        return {}

    def attribute_error(self, *, name: str, value_type: str) -> str:
        """Return nothing: any name will do."""
        return ""

    def attribute_missing(self, *, name: str, deadline: Deadline) -> str:
        """Return nothing: attributes need not be set up."""
        return ""

    def checks(self, *, attributes: Callable[[], Mapping[str, str]]) -> Iterator[Check]:
        """Yield the access token: there is no call that changes nothing."""
        yield checking.token(calls=self.calls)
        yield Check(
            "the guest call's scopes and role: they show only when a guest is made; see the "
            "remedies for 403 in docs/operators.md"
        )

    def find_guest(self, **_: Any) -> NoReturn:
        """Raise: there is no such call."""
        raise NotImplementedError

    duplicates = withdraw = deletion = delete_guest = find_guest


def _read_guest(answer: Answer) -> Guest:
    body = answer.body if isinstance(answer.body, dict) else {}
    guest_id = body.get("id")
    if not isinstance(guest_id, str) or not _GUEST_ID.fullmatch(guest_id):
        raise Protocol("the platform's guest has no usable id", arrived=True, **about(answer))
    given, kind, created = (body.get(n) for n in ("consentGiven", "consentType", "createdDate"))
    return Guest(
        id=guest_id,
        consent_given=given if isinstance(given, bool) else None,
        consent_type=storable(kind, limit=16, shape=_WORD) if isinstance(kind, str) else None,
        created_date=storable(created, limit=40, shape=_MOMENT),
    )


def _read_guest_token(answer: Answer) -> GuestToken:
    body = answer.body if isinstance(answer.body, dict) else {}
    value = body.get("token")
    if not isinstance(value, str) or not 0 < len(value) <= 16_384 or not value.isprintable():
        raise Protocol("the platform's token is not one", **about(answer))
    try:
        expires_at = _expiry(storable(body.get("expires_at"), limit=40, shape=_MOMENT))
    except (ValueError, OverflowError) as exc:
        raise Protocol("the platform's token says no expiry", **about(answer)) from exc
    return GuestToken(value=value, expires_at=expires_at)


def _expiry(said: str) -> str:
    """Return the moment as it was said or, where no browser would read that, in UTC.

    Raises ValueError or OverflowError where it is none.
    """
    ends = datetime.fromisoformat(said)
    if re.fullmatch(_READABLE, said, re.ASCII):
        return said
    ends = ends.astimezone(UTC) if ends.tzinfo else ends.replace(tzinfo=UTC)
    return ends.isoformat().replace("+00:00", "Z")
