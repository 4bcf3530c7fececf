"""People: who signs in, with which rights, and what visitors are told."""

from collections.abc import Iterator, Mapping

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Permission
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from guestportal.doctor.findings import FAULT, OK, WARNING, Check, Finding
from guestportal.roles import ROLES
from guestportal.signin import provider
from guestportal.signin.failures import SignInFailed
from guestportal.staff import staff_address
from provisioning.models import Notice

REVIEWER = "Compliance reviewer"


def _address() -> str:
    """Return where the admin is: other hosts than ours, such as 127.0.0.1, are refused."""
    address = staff_address()
    return f" ({address}/admin/, through the TLS proxy: deploy/nginx.conf)" if address else ""


def _notice() -> Iterator[Finding]:
    newest = Notice.objects.filter(effective_at__lte=timezone.now()).order_by("-effective_at")
    found = newest.values_list("version", "language").first()
    if found:
        yield Finding("notice", OK, f"{found[0]} ({found[1]}) is in effect")
    else:
        said = "no privacy notice is in effect: nobody can tell what visitors consent to"
        remedy = f"In the admin{_address()}: Notice drafts, then publish."
        yield Finding("notice", FAULT, said, remedy)


def _roles() -> Iterator[Finding]:
    remedy = "Run: manage.py setup_roles"
    rights = {role: _rights(role) for role in ROLES}
    lacking = {role: set(ROLES[role]) - rights[role] for role in ROLES}
    extra = {role: rights[role] - set(ROLES[role]) for role in ROLES}
    if any(lacking.values()):
        yield Finding("roles", FAULT, f"rights are missing: {_listed(lacking)}", remedy)
    elif any(extra.values()):
        yield Finding("roles", WARNING, f"rights are too many: {_listed(extra)}", remedy)
    else:
        yield Finding("roles", OK, f"{', '.join(ROLES)} have their rights")
    staff = get_user_model().objects.filter(is_active=True, is_staff=True)
    if not staff.filter(groups__name=REVIEWER).exists():
        remedy = f"In the admin{_address()}: Users, a person, Groups: {REVIEWER}."
        yield Finding("reviewers", WARNING, f"nobody is in the group {REVIEWER}", remedy)


def _rights(role: str) -> set[str]:
    rows = Permission.objects.filter(group__name=role)
    pairs = rows.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in pairs}


def _listed(rights: Mapping[str, set[str]]) -> str:
    """Return how many rights of each role, and the first of them."""
    return ", ".join(
        f"{role} ({len(names)}, such as {min(names)})" for role, names in rights.items() if names
    )


def _administrator() -> Iterator[Finding]:
    """Look for an account that opens the admin whatever happens to the identity provider."""
    by_provider = settings.ADMIN_LOGIN == "oidc"
    name = "break-glass account" if by_provider else "administrator"
    devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    users = get_user_model().objects.filter(is_active=True, is_staff=True, is_superuser=True)
    users = users.filter(identity=None)  # of the provider's: those have no password here
    users = users.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).order_by("pk")
    if users.filter(Exists(devices)).exists():
        yield Finding(name, OK, "an active superuser has one-time codes")
    elif (user := users.first()) is None:
        said = "there is no active superuser with a password"
        remedy = "Run: manage.py createsuperuser, then manage.py enrol_mfa USER"
        yield Finding(name, FAULT, said, remedy)
    else:
        nobody_gets_in = by_provider or settings.ADMIN_MFA == "required"
        said = f"no active superuser has one-time codes (the first is number {user.pk})"
        remedy = "Run: manage.py enrol_mfa USER"
        yield Finding(name, FAULT if nobody_gets_in else WARNING, said, remedy)


def _provider() -> Iterator[Finding]:
    """Ask the identity provider what a sign-in asks before anybody is there: document and keys."""
    if settings.ADMIN_LOGIN == "password":
        return
    try:
        provider.discover().keys()
    except SignInFailed as exc:
        detail = f" ({exc.detail})" if exc.detail else ""
        remedy = "See docs/operators.md#single-sign-on; the break-glass account opens the admin."
        said = f"{exc.sentences.operator}{detail}"
        yield Finding("identity provider", FAULT, said, remedy)
    else:
        yield Finding("identity provider", OK, "answers as OIDC_ISSUER names it, with its keys")


CHECKS = (
    Check("notice", _notice, needs="migrations"),
    Check("roles", _roles, needs="migrations"),
    Check("administrator", _administrator, needs="migrations"),
    Check("identity provider", _provider, seconds=15),
)
