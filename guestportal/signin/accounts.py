"""The account of a person at the identity provider: found by issuer and subject, never by a name.

What a person may do here follows from their groups there, each time: groups are set, and taken
away, `is_staff` with them. Nobody becomes superuser, and no local account is taken over.
"""

import re
import secrets

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.utils import timezone

from guestportal.models import StaffIdentity
from guestportal.signin import kept_tokens
from guestportal.signin.failures import SignInFailed
from guestportal.signin.person import Person
from guestportal.staff import staff_from_groups

_LONGEST_NAME = 40
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9._-]+")


def admit(*, person: Person) -> User:
    """Return the account of somebody who has just signed in, with the groups they have now.

    Raises SignInFailed: nobody without a group of ours gets an account, and whoever has one is out
    until they have a group again.
    """
    groups = _groups_of_ours(person)
    identity = _identity(person)
    if identity is None:
        _require_groups(person, groups)
        identity = _bind(person, groups)
    update(identity=identity, person=person)
    return identity.user


def update(*, identity: StaffIdentity, person: Person) -> None:
    """Let an account follow what the provider says of its person now.

    Raises SignInFailed where the account is deactivated (then nothing changes), or where there is
    no group left (then it has lost its groups).
    """
    if not identity.user.is_active:
        raise SignInFailed("disabled")
    groups = _groups_of_ours(person)
    _follow(identity.user, groups)
    _require_groups(person, groups)
    kept_tokens.keep(identity=identity, tokens=person.tokens, checked_at=timezone.now())


def _identity(person: Person) -> StaffIdentity | None:
    rows = StaffIdentity.objects.select_related("user")
    return rows.filter(issuer=settings.OIDC_ISSUER, subject=person.subject).first()


def _groups_of_ours(person: Person) -> list[Group]:
    """Return the groups that exist here for a person's groups there."""
    mapped = settings.OIDC_GROUP_MAP
    names = {ours for theirs in person.groups or () for ours in mapped.get(theirs, ())}
    return list(Group.objects.filter(name__in=names).order_by("name"))


def _require_groups(person: Person, groups: list[Group]) -> None:
    if groups:
        return
    if person.groups is None:
        raise person.silence
    if any(theirs in settings.OIDC_GROUP_MAP for theirs in person.groups):
        raise SignInFailed("map")
    raise SignInFailed("no_group")


def _bind(person: Person, groups: list[Group]) -> StaffIdentity:
    """Make an account for a person; of two sign-ins that meet here both get the one made first."""
    try:
        with transaction.atomic():
            user = User(username=_username(person.name), is_staff=True)
            user.set_unusable_password()
            user.save()
            user.groups.set(groups)
            return StaffIdentity.objects.create(
                user=user,
                issuer=settings.OIDC_ISSUER,
                subject=person.subject,
                bound_at=timezone.now(),
            )
    except IntegrityError:
        identity = _identity(person)
        if identity is None:  # the name met another one, which its random end makes unlikely
            raise
        return identity


def _follow(user: User, groups: list[Group]) -> None:
    """Give an account these groups and no other, no password, and entry if there is a group."""
    with transaction.atomic():
        if set(user.groups.all()) != set(groups):
            user.groups.set(groups)
        staff_from_groups(user=user)
        if user.has_usable_password():
            user.set_unusable_password()
            user.save(update_fields=["password"])


def _username(wished: str) -> str:
    """Return a name that nobody has: what staff see and no more, as it is never looked for.

    The random end keeps it apart from local accounts; what follows an @ would make it an address.
    """
    plain = _NOT_IN_A_NAME.sub("", wished.partition("@")[0].lower()).strip("._-")
    return f"{plain[:_LONGEST_NAME] or 'oidc'}-{secrets.token_hex(3)}"
