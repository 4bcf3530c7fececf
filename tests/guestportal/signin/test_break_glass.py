"""Who signs in by password, and how, where the identity provider is there for everybody else."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.support.factories import sign_in as by_password
from tests.support.factories import staff
from tests.support.organisation import sign_in

pytestmark = pytest.mark.django_db
SENTENCE = "correct username, password and, if you have one, your one-time code"
BUTTON, FORM, LINK = "Sign in with your organisation", 'type="password"', "Break-glass account"


@pytest.fixture(autouse=True)
def _organisation(organisation):
    """Set up for the provider."""


@pytest.fixture
def root():
    """The break-glass account."""
    user = staff()
    call_command("enrol_mfa", user.username, stdout=StringIO())
    return user


def code(user):
    return f"{totp(TOTPDevice.objects.get(user=user).bin_key):06}"


def shown(page):
    text = page.content.decode()
    return [what for what in (BUTTON, FORM, LINK) if what in text]


@pytest.mark.parametrize(
    ("mode", "address", "expected"),
    [
        ("password", "/admin/login/", [FORM]),
        ("both", "/admin/login/", [BUTTON, FORM]),
        ("oidc", "/admin/login/", [BUTTON, LINK]),
        ("oidc", "/admin/login/?password=1", [BUTTON, FORM]),
    ],
)
def test_the_sign_in_page_shows_what_can_be_used(client, settings, mode, address, expected):
    settings.ADMIN_LOGIN = mode

    assert shown(client.get(address)) == expected


@pytest.mark.parametrize("mfa", ["optional", "required"])
def test_lets_the_break_glass_account_in_with_a_code(client, settings, organisation, root, mfa):
    settings.ADMIN_MFA = mfa
    organisation.down = True

    without = by_password(client, root.username)
    assert without.status_code == 200
    assert by_password(client, root.username, otp_token=code(root)).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_lets_no_superuser_in_without_a_device(client):
    page = by_password(client, staff().username)

    assert "enrol_mfa" in page.content.decode()
    assert client.get("/admin/").status_code == 302


def test_lets_no_other_staff_in_by_password(client):
    user = staff("Auditor")
    call_command("enrol_mfa", user.username, stdout=StringIO())

    page = by_password(client, user.username, otp_token=code(user))

    assert "break-glass account alone" in page.content.decode()
    assert client.get("/admin/").status_code == 302


def test_ends_sessions_that_a_password_opened_before(client, settings):
    settings.ADMIN_LOGIN = "password"
    by_password(client, staff("Auditor").username)
    assert client.get("/admin/").status_code == 200

    settings.ADMIN_LOGIN = "oidc"

    assert client.get("/admin/").status_code == 302


def test_lets_staff_in_by_password_too_where_both_are_used(client, settings):
    settings.ADMIN_LOGIN = "both"

    assert by_password(client, staff("Auditor").username).status_code == 302
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("mode", ["password", "both", "oidc"])
def test_lets_nobody_of_the_provider_in_by_password(client, settings, organisation, mode):
    sign_in(organisation, client)
    user = client.get("/admin/").context["user"]
    client.logout()
    user.set_password("secret")
    user.save()
    settings.ADMIN_LOGIN = mode

    page = by_password(client, user.username)

    assert SENTENCE in page.content.decode()
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("mode", ["password", "both"])
def test_tells_everybody_that_accounts_of_the_provider_have_no_password(
    client, settings, organisation, mode
):
    sign_in(organisation, Client())
    settings.ADMIN_LOGIN = mode

    page = client.get("/admin/login/").content.decode()

    assert "signs in with your organisation has no password here" in page


def test_leaves_one_time_codes_to_the_provider(client, settings, organisation):
    settings.ADMIN_MFA = "required"

    sign_in(organisation, client)

    assert client.get("/admin/").status_code == 200


def test_no_stranger_locks_the_break_glass_account(client, root):
    for _ in range(6):
        client.defaults["REMOTE_ADDR"] = "203.0.113.9"
        locked = by_password(client, root.username, "wrong")
    client.defaults["REMOTE_ADDR"] = "198.51.100.7"

    answer = by_password(client, root.username, otp_token=code(root))

    assert locked.status_code == 429
    assert answer.status_code == 302


def test_locks_it_for_an_address_that_guesses(client, root):
    for _ in range(5):
        by_password(client, root.username, "wrong")

    assert by_password(client, root.username, otp_token=code(root)).status_code == 429


def test_still_locks_every_other_name_for_all(client, settings):
    settings.ADMIN_LOGIN = "both"
    user = staff("Auditor")
    client.defaults["REMOTE_ADDR"] = "203.0.113.9"
    for _ in range(5):
        by_password(client, user.username, "wrong")
    client.defaults["REMOTE_ADDR"] = "198.51.100.7"

    assert by_password(client, user.username).status_code == 429


def test_is_unlocked_by_a_command_for_every_address(client, root):
    for _ in range(5):
        by_password(client, root.username, "wrong")

    call_command("unlock_staff", root.username, stdout=StringIO())

    assert by_password(client, root.username, otp_token=code(root)).status_code == 302


def test_keeps_a_superuser_of_the_provider_out_without_a_group(client, organisation):
    sign_in(organisation, client)
    User.objects.update(is_superuser=True)
    organisation.groups = []

    assert sign_in(organisation, Client()).status_code == 403
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert client.get("/admin/").status_code == 302
