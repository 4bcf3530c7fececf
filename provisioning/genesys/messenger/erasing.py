"""A contact's deletion on the platform, one step at a time: whoever calls keeps how far it got.

    external:<epoch>:<external id>   a contact may exist: looked for, twice a minute apart
    contact:<id>                     asked for by ``POST gdpr/requests``, polled, then looked at
    cookie:<generation>:<guest id>   likewise; its id is the session's token, made again here

A request takes hours, an export of the vendor's days (help.mypurecloud.com), so it is polled by the
hour. One identifier a request. What the platform does not know is deleted.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Protocol
from provisioning.genesys.messenger import contacts, names
from provisioning.genesys.messenger.api import REQUESTS, Api
from provisioning.genesys.platform import Deletion
from provisioning.genesys.retry import about
from provisioning.genesys.transport import Answer

POLL_SECONDS = 3600
LOOK_AGAIN_SECONDS = 60
_MERGED = ("canonicalContact", "mergeSet")
_LOOKED = "looked-for"  # in the place of a request's id: once, and there was none


def begin(*, guest_id: str, session_key: str, generation: int) -> Deletion:
    """Return what is to be deleted of a guest that exists, or (without an id) may exist."""
    if not guest_id:
        external = names.external_id(session_key=session_key)
        return Deletion((f"external:{int(time.time())}:{external}",))
    subjects = [] if guest_id.startswith(names.ANONYMOUS) else [f"contact:{guest_id}"]
    if settings.MESSENGER_ERASE_COOKIES:
        subjects.append(f"cookie:{generation}:{guest_id}")
    return Deletion(tuple(subjects))


class Erasing:
    """The steps, each of at most four calls."""

    def __init__(self, api: Api, deadline: Deadline, is_ours: Callable[[str], bool]) -> None:
        self._api = api
        self._deadline = deadline
        self._is_ours = is_ours

    def step(self, deletion: Deletion) -> Deletion:
        """Go on with the first subject. Raises PlatformError, with nothing asked of the platform
        that `deletion` does not know."""
        kind, _, name = deletion.subjects[0].partition(":")
        if kind == "external":
            return self._look_for(deletion, *name.split(":", 1))
        if deletion.request_id:
            return self._poll(deletion, kind, name)
        if kind == "cookie":
            generation, guest_id = name.split(":", 1)
            token = names.token(guest_id=guest_id, generation=int(generation))
            return self._ask(deletion, {"journeyCustomer": {"type": "cookie", "id": token}})
        found = self._contact(name)
        if found is None:
            return _next(deletion)
        return self._ask(_with_merged(deletion, found), {"externalContactId": name})

    def _look_for(self, deletion: Deletion, since: str, external_id: str) -> Deletion:
        found = self._api.look_up(external_id, self._deadline)
        if found is None:
            if deletion.request_id == _LOOKED:
                return _next(deletion)
            return replace(deletion, request_id=_LOOKED, pause=LOOK_AGAIN_SECONDS)
        contact_id = contacts.contact(found)["id"]
        # By its date alone, another clock's word, a contact made before might be left for good.
        if self._is_ours(contact_id) and _made_after(found, int(since)):
            return _next(deletion)  # the person came back since and consented
        return replace(_next(deletion), subjects=(f"contact:{contact_id}", *deletion.subjects[1:]))

    def _ask(self, deletion: Deletion, subject: Mapping[str, Any]) -> Deletion:
        body = {"requestType": "GDPR_DELETE", "subject": subject}
        answer = self._api.post(f"{REQUESTS}?deleteConfirmed=true", body, self._deadline)
        if answer is None:
            return _next(deletion)
        request_id = answer.body.get("id") if isinstance(answer.body, dict) else None
        if not contacts.is_id(request_id):
            raise Protocol("the platform's request has no usable id", arrived=True, **about(answer))
        return replace(deletion, request_id=request_id, pause=POLL_SECONDS)

    def _poll(self, deletion: Deletion, kind: str, name: str) -> Deletion:
        answer = self._api.get(REQUESTS, deletion.request_id, self._deadline)
        status = answer.body.get("status") if answer and isinstance(answer.body, dict) else "ERROR"
        if status == "ERROR":
            return deletion.failed()
        if status != "COMPLETED":
            return replace(deletion, pause=POLL_SECONDS)
        if kind == "contact" and self._contact(name):
            self._api.delete_contact(name, self._deadline)
            if self._contact(name):
                return deletion.failed()
        return _next(deletion)

    def _contact(self, contact_id: str) -> Answer | None:
        return self._api.contact(contact_id, self._deadline)


def _next(deletion: Deletion) -> Deletion:
    return Deletion(deletion.subjects[1:])


def _with_merged(deletion: Deletion, found: Answer) -> Deletion:
    """Add what the contact was merged with: a request erases the one it names."""
    body = contacts.contact(found)
    ids = [each for name in _MERGED for each in contacts.named_in(body.get(name))]
    subjects = dict.fromkeys([*deletion.subjects, *(f"contact:{each}" for each in ids)])
    return replace(deletion, subjects=tuple(subjects))


def _made_after(found: Answer, since: int) -> bool:
    try:
        made = datetime.fromisoformat(contacts.read(found).created_date)
    except ValueError:
        return False
    # Without a zone it is UTC; `timestamp` of one without breaks on the year 1.
    return (made if made.tzinfo else made.replace(tzinfo=UTC)).timestamp() > since
