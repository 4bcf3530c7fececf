"""The calls: enrich for a visitor who consented, none for one who declined."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings

from provisioning.genesys.calls import Calls, Sending, expect_success
from provisioning.genesys.checking import Check
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError, Rejected
from provisioning.genesys.gate import Reservation
from provisioning.genesys.messenger import contacts, erasing, fields, known_fields, names
from provisioning.genesys.messenger.api import ENRICH, REMEDY, Api
from provisioning.genesys.messenger.checks import Checks
from provisioning.genesys.platform import Deletion, Guest, GuestRequest, GuestToken, Message
from provisioning.genesys.retry import about
from provisioning.genesys.transport import Answer

DEFAULT_ATTRIBUTES = ("tier_text", "previous_tickets_integer", "integration_source_text")
# What the calls of an init, of a withdrawal and of an erasure need (the vendor's JavaScript SDK);
# then those of `check_genesys` and of the admin's forms; then those of `messenger_setup` alone.
PERMISSIONS = (
    "externalContacts:contact:enrich",
    "externalContacts:contact:view",
    "externalContacts:contact:delete",
    "gdpr:request:add",
    "gdpr:request:view",
)
VIEWS = (
    "externalContacts:externalSource:view",
    "externalContacts:customFields:view",
    "webDeployments:deployment:view",
)
SETUP = (
    "externalContacts:externalSource:add",
    "externalContacts:customFields:add",
    "externalContacts:customFields:edit",
)


def connect() -> "Messenger":
    """Return the platform as the settings describe it."""
    return Messenger(Calls(grants=(*PERMISSIONS, *VIEWS, *SETUP)))


class Messenger:
    """Keeps the protocol `Platform`."""

    follows_up = True

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self._api = Api(calls)

    def what_is_sent(self, *, guest: GuestRequest) -> Message:
        """Return the body of the enrich; a visitor who declined is nobody there."""
        return contacts.enrich(guest=guest) if guest.consent_given else Message({}, {})

    def reserve(
        self, *, guest: GuestRequest | None, token: bool, deadline: Deadline
    ) -> Reservation:
        """Reserve the enrich, if there is one: a token takes no call."""
        return self.calls.reserve(calls=int(bool(guest and guest.consent_given)), deadline=deadline)

    def create_guest(
        self,
        *,
        guest: GuestRequest,
        reservation: Reservation,
        deadline: Deadline,
        consent_stands: Callable[[], bool],
    ) -> Guest:
        """Make or find the session's contact; a repetition finds the same one."""
        if not guest.consent_given:
            return Guest(names.anonymous_id(), None, None, "")
        sending = Sending()

        def enriched() -> Answer:
            return self.calls.make(
                ENRICH,
                guest.message.body,
                reservation=reservation,
                deadline=deadline,
                repeatable=consent_stands,
                sending=sending,
            )

        try:
            answer = enriched()
            if answer.status == 409 and consent_stands():  # two first ones at once: inferred
                answer = enriched()
            expect_success(answer, remedy=REMEDY)
            return contacts.read(answer)
        except PlatformError as exc:
            exc.sent = sending.done
            raise

    def issue_token(
        self, *, guest_id: str, generation: int, reservation: Reservation, deadline: Deadline
    ) -> GuestToken:
        """Return the session's token, without a call.

        When it ends is our promise; the platform's is in its own answer to the page.
        """
        ends = datetime.now(UTC) + timedelta(seconds=settings.MESSENGER_TOKEN_SECONDS)
        value = names.token(guest_id=guest_id, generation=generation)
        return GuestToken(value, ends.isoformat(timespec="milliseconds").replace("+00:00", "Z"))

    def answer(self, *, guest_id: str, consent_given: bool) -> Mapping[str, Any]:
        """Return what a Messenger page needs. The visitor can change it: no CRM value is in it."""
        deployment = settings.MESSENGER_DEPLOYMENT_ID
        host = f"webmessaging.{settings.MESSENGER_DOMAIN}"
        return {
            "platform": "messenger",
            "messenger": {
                "deploymentId": deployment,
                "environment": settings.MESSENGER_ENVIRONMENT,
                "socketUrl": f"wss://{host}/v1?deploymentId={quote(deployment, safe='')}",
                "customAttributes": {
                    "guestportal_guest_id": guest_id,
                    "guestportal_consent": "given" if consent_given else "declined",
                },
            },
        }

    def find_guest(self, *, session_key: str, deadline: Deadline) -> Guest | None:
        """Look the session's contact up; nothing is changed."""
        answer = self._api.look_up(names.external_id(session_key=session_key), deadline)
        return contacts.read(answer) if answer else None

    def duplicates(self, *, guest_ids: Collection[str], deadline: Deadline) -> list[str]:
        """Return the contacts that two first inits at once may have made beside the lowest.

        One that was merged into another is that other.
        """
        alone = [each for each in sorted(guest_ids) if self._is_alone(each, deadline)]
        return alone[1:]

    def withdraw(self, *, guest_id: str, deadline: Deadline) -> bool:
        """Take the contact's consent back, by the external ids that it has itself.

        Not by the session's: that one changes with SESSION_HASH_PEPPER.
        """
        if guest_id.startswith(names.ANONYMOUS):
            return False
        known = self._api.canonical(guest_id, deadline)
        if known is None or contacts.read(known).consent_given is False:
            return False
        ids = contacts.external_ids(contacts.contact(known))
        if not ids:
            raise Rejected("the contact has no external id of ours any more", **about(known))
        return self._api.post(ENRICH, contacts.withdrawal(external_ids=ids), deadline) is not None

    def deletion(self, *, guest_id: str, session_key: str, generation: int) -> Deletion:
        """Return what is to be deleted: the contact, and its journey's cookie where that is on."""
        return erasing.begin(guest_id=guest_id, session_key=session_key, generation=generation)

    def delete_guest(
        self, *, deletion: Deletion, deadline: Deadline, is_ours: Callable[[str], bool]
    ) -> Deletion:
        """Take one step of a deletion."""
        return erasing.Erasing(self._api, deadline, is_ours).step(deletion)

    def attribute_error(self, *, name: str, value_type: str) -> str:
        """Return why no contact schema can have such a field."""
        return fields.problem(key=name, value_type=value_type)

    def attribute_missing(self, *, name: str, deadline: Deadline) -> str:
        """Return that the schema has no such field."""
        return known_fields.missing(key=name, api=self._api, deadline=deadline)

    def checks(self, *, attributes: Callable[[], Mapping[str, str]]) -> Iterator[Check]:
        """Yield what `check_genesys` asks."""
        return Checks(self.calls, self._api).all(attributes=attributes)

    def _is_alone(self, contact_id: str, deadline: Deadline) -> bool:
        found = self._api.canonical(contact_id, deadline)
        return found is not None and contacts.contact(found)["id"] == contact_id
