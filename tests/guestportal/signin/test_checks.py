"""What `make serve` refuses and `check --deploy` warns of, of sign-in by the identity provider."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.core.checks import run_checks
from django_otp.plugins.otp_totp.models import TOTPDevice

from guestportal.checks import TAG
from tests.support.factories import staff
from tests.support.organisation import SETTINGS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _set_up(settings):
    for name, value in (SETTINGS | {"OIDC_REQUIRED_ACR": "mfa"}).items():
        setattr(settings, name, value)
    for name in ("Compliance reviewer", "Auditor"):
        Group.objects.create(name=name)
    TOTPDevice.objects.create(user=staff(), confirmed=True)


def found():
    every = run_checks(tags=[TAG], include_deployment_checks=True)
    return [each for each in every if re.match("OIDC_|ADMIN_LOGIN", each.msg)]


def test_says_nothing_to_what_is_set_up():
    assert found() == []


@pytest.mark.parametrize("mode", ["oidc", "both"])
@pytest.mark.parametrize(
    "name", ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_GROUP_MAP"]
)
def test_refuses_to_start_without_what_is_needed(settings, mode, name):
    settings.ADMIN_LOGIN = mode
    setattr(settings, name, type(SETTINGS[name])())

    (refusal,) = found()

    assert refusal.is_serious()
    assert refusal.msg.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("issuer", "refused"),
    [("http://login.example.com", True), ("http://localhost:8080/realms/x", False)],
)
def test_refuses_plain_http_other_than_on_loopback(settings, issuer, refused):
    settings.OIDC_ISSUER = issuer

    assert [each.is_serious() for each in found()] == [True] * refused


def test_warns_of_groups_that_are_not_there(settings):
    settings.OIDC_GROUP_MAP = {"reviewers": ("Complience reviewer", "Auditor")}

    (warning,) = found()

    assert not warning.is_serious()
    assert "Complience reviewer." in warning.msg


def test_warns_where_codes_are_required_and_the_provider_is_not_asked_for_any(settings):
    settings.OIDC_REQUIRED_ACR, settings.ADMIN_MFA = "", "required"

    (warning,) = found()

    assert warning.msg.startswith("OIDC_REQUIRED_ACR: ")


def test_warns_of_a_provider_that_nobody_signs_in_by(settings):
    settings.ADMIN_LOGIN = "password"

    (warning,) = found()

    assert "ADMIN_LOGIN is password" in warning.msg


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"is_superuser": False},
        {"is_staff": False},
    ],
)
def test_warns_where_there_is_no_break_glass_account(change):
    User.objects.update(**change)

    (warning,) = found()

    assert warning.msg.startswith("ADMIN_LOGIN: is oidc without a break-glass account")


def test_warns_where_the_break_glass_account_has_no_code():
    TOTPDevice.objects.all().delete()

    (warning,) = found()

    assert "enrol_mfa" in warning.hint
