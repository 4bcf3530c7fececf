"""Who may see and act on a person, and how the person is named meanwhile."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse

from backoffice import search
from backoffice.private import cipher

EXPORT, ERASE = "provisioning.export_subject", "provisioning.erase_subject"
WITHDRAW, HOLD = "provisioning.withdraw_consent", "provisioning.add_legalhold"
FIND = "admin:provisioning_person"
_PURPOSE = b"guestportal person\0"


@dataclass(frozen=True)
class Person:
    """The stored `sessions` that are a person's, under a random `name` of the sender's session."""

    name: str
    sessions: list[str]

    @property
    def address(self) -> str:
        """Return the address of the person's page; it names nobody to anybody else."""
        return reverse("admin:provisioning_person_page", args=[self.name])


def keep(request: HttpRequest, *, sessions: Sequence[str]) -> Person:
    """Keep who was found in the sender's session, encrypted: no hash stands there in clear."""
    token = cipher(purpose=_PURPOSE).encrypt(json.dumps(sessions).encode()).decode()
    return Person(search.keep(request, keys=[token]), list(sessions))


def kept(request: HttpRequest, *, name: str) -> Person:
    """Return the person kept under `name`, with no session where that is not the sender's."""
    found = search.kept(request, name=name)
    try:
        sessions = json.loads(cipher(purpose=_PURPOSE).decrypt(found[0])) if found else []
    except InvalidToken:  # of another search, or under a key that is gone
        sessions = []
    return Person(name, sessions)


def forget(request: HttpRequest, person: Person) -> None:
    """Forget who was found: they are erased."""
    search.forget(request, name=person.name)


def require(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied where the sender lacks `permission`."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def require_any(request: HttpRequest) -> None:
    """Raise PermissionDenied where the sender may neither export nor erase a person."""
    if not (request.user.has_perm(EXPORT) or request.user.has_perm(ERASE)):
        raise PermissionDenied


def allowed(request: HttpRequest) -> dict[str, bool]:
    """Return what the sender may do with a person, for the page."""
    rights = {"export": EXPORT, "erase": ERASE, "withdraw": WITHDRAW, "hold": HOLD}
    return {verb: request.user.has_perm(right) for verb, right in rights.items()}
