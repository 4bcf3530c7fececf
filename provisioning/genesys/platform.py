"""What a platform is to this service: the protocol that each one keeps, and the one in use.

A platform is a module beside this one, named as GENESYS_PLATFORM names it: a function `connect`
that makes it, and DEFAULT_ATTRIBUTES, the names that the shipped mappings give to tier, number of
earlier conversations and source. Which one it is, nobody outside of this package asks.
"""

import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from django.conf import settings

from provisioning.genesys.calls import Calls
from provisioning.genesys.checking import Check
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.gate import Reservation


@dataclass(frozen=True)
class Message:
    """The body of the call that makes a guest, and by name what it tells of the visitor.

    Both are empty where nothing is sent at all.
    """

    body: Mapping[str, Any] = field(repr=False)
    fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class GuestRequest:
    """The guest we ask for. `known`: the CRM knows the visitor, so name and address are theirs.

    `session_key`: what the session is stored under. It goes to no platform as it is.
    """

    name: str = field(repr=False)
    email: str = field(repr=False)
    known: bool
    consent_given: bool
    consent_type: str
    attributes: Mapping[str, Any] = field(repr=False)
    session_key: str = field(repr=False)

    @functools.cached_property
    def message(self) -> Message:
        """What is sent to the platform in use; made once."""
        return get_platform().what_is_sent(guest=self)


@dataclass(frozen=True)
class Guest:
    """The guest the platform made, and what it says of the consent (None: it said nothing)."""

    id: str
    consent_given: bool | None
    consent_type: str | None
    created_date: str


@dataclass(frozen=True)
class GuestToken:
    """The visitor's ephemeral token; `expires_at` is an ISO 8601 text, the platform's where it has
    one."""

    value: str = field(repr=False)
    expires_at: str


@dataclass(frozen=True)
class Deletion:
    """How far a guest's deletion on the platform has got.

    `subjects` are what is still to be deleted, each named as its platform names it; none: done.
    `request_id` is the platform's name for what was asked of the first; `errors` counts in how many
    days it ended badly. `pause`: seconds until the next look makes sense.
    """

    subjects: tuple[str, ...] = field(repr=False)
    request_id: str = ""
    errors: int = 0
    pause: float = 0

    def failed(self, *, request_id: str = "") -> "Deletion":
        """Return it after a step that ended badly: the next one comes a day later."""
        return Deletion(self.subjects, request_id, self.errors + 1, pause=86_400)


class Platform(Protocol):
    """One API of the vendor. The constructor does no I/O; every call raises PlatformError.

    `follows_up`: the platform can be asked about a guest afterwards. Without it `find_guest`,
    `withdraw` and `delete_guest` are never called: a person does there what is to be done.
    """

    calls: Calls
    follows_up: bool

    def what_is_sent(self, *, guest: GuestRequest) -> Message:
        """Return the exact body that `create_guest` would send; does no I/O."""

    def reserve(
        self, *, guest: GuestRequest | None, token: bool, deadline: Deadline
    ) -> Reservation:
        """Wait until the calls for a guest (None: there is one) and for its token may be made."""

    def create_guest(
        self,
        *,
        guest: GuestRequest,
        reservation: Reservation,
        deadline: Deadline,
        consent_stands: Callable[[], bool],
    ) -> Guest:
        """Create `guest`.

        On errors `arrived` tells whether a guest may exist, `sent` whether the visitor's data went
        out. A call that may have arrived is repeated only where the platform makes no second guest
        of it, and while `consent_stands`.
        """

    def issue_token(
        self, *, guest_id: str, generation: int, reservation: Reservation, deadline: Deadline
    ) -> GuestToken:
        """Issue an ephemeral token; `generation` rises with each withdrawal of the session."""

    def answer(self, *, guest_id: str, consent_given: bool) -> Mapping[str, Any]:
        """Return what the page needs besides the token, empty where that is all."""

    def find_guest(self, *, session_key: str, deadline: Deadline) -> Guest | None:
        """Return the guest that the session has there, None where there is none."""

    def duplicates(self, *, guest_ids: Collection[str], deadline: Deadline) -> list[str]:
        """Return which of one session's guests are to be deleted: all but the lowest there is."""

    def withdraw(self, *, guest_id: str, deadline: Deadline) -> bool:
        """Make the guest one without consent; return whether it was not so already."""

    def deletion(self, *, guest_id: str, session_key: str, generation: int) -> Deletion:
        """Return what is to be deleted of a guest; `guest_id` is empty where one may exist."""

    def delete_guest(
        self, *, deletion: Deletion, deadline: Deadline, is_ours: Callable[[str], bool]
    ) -> Deletion:
        """Take one step towards the end of a deletion, and return how far that got.

        `is_ours` tells of a guest that had to be looked for whether somebody has it who is not
        erased: the person came back since.
        """

    def attribute_error(self, *, name: str, value_type: str) -> str:
        """Return why there can be no such attribute, empty where there can; does no I/O.

        `value_type`: text, integer, number or boolean. Such an attribute is left out.
        """

    def attribute_missing(self, *, name: str, deadline: Deadline) -> str:
        """Return why the platform would not take the attribute now, empty where it would."""

    def checks(self, *, attributes: Callable[[], Mapping[str, str]]) -> Iterator[Check]:
        """Yield what has to be in order there; `attributes` gives what is mapped, with types."""


def default_attributes(*, platform: str) -> tuple[str, str, str]:
    """Return the names that the shipped mappings have on a platform."""
    names: tuple[str, str, str] = _module(platform).DEFAULT_ATTRIBUTES
    return names


@functools.cache
def get_platform() -> Platform:
    """Return this process's platform, built from the settings at first use."""
    platform: Platform = _module(settings.GENESYS_PLATFORM).connect()
    return platform


def _module(platform: str) -> ModuleType:
    return import_module("provisioning.genesys." + platform.replace("-", "_"))
