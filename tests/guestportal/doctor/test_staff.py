"""Doctor names what is missing of people: a notice, rights, a reviewer, an administrator."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from guestportal.models import StaffIdentity
from tests.guestportal.doctor.conftest import Doctor
from tests.guestportal.signin.conftest import organisation  # noqa: F401  (a fixture)
from tests.support.organisation import Organisation


def test_names_a_missing_notice_and_where_the_admin_is(doctor: Doctor, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["chat.own.test"]
    with time_machine.travel(timezone.now() - timedelta(days=3_650)):
        found = doctor()["notice"]

    assert found["state"] == "fault"
    assert "publish" in found["remedy"]
    assert "https://chat.own.test/admin/" in found["remedy"]
    assert "proxy" in found["remedy"]


def test_names_a_missing_role(doctor: Doctor) -> None:
    Group.objects.get(name="Auditor").delete()

    found = doctor()["roles"]

    assert found["state"] == "fault"
    assert "Auditor (4, such as audit.export_log)" in found["said"]
    assert found["remedy"] == "Run: manage.py setup_roles"


def test_warns_of_a_role_with_a_right_too_many(doctor: Doctor) -> None:
    Group.objects.get(name="Auditor").permissions.add(Permission.objects.get(codename="add_user"))

    found = doctor()["roles"]

    assert found["state"] == "warning"
    assert "Auditor (1, such as auth.add_user)" in found["said"]


def test_warns_where_nobody_reviews(doctor: Doctor) -> None:
    get_user_model().objects.filter(username="compliance").update(is_active=False)

    found = doctor()["reviewers"]

    assert found["state"] == "warning"
    assert "nobody is in the group" in found["said"]
    assert "staff status" not in found["remedy"]  # it follows from the group


def test_names_a_missing_administrator(doctor: Doctor) -> None:
    get_user_model().objects.filter(is_superuser=True).delete()

    found = doctor()["administrator"]

    assert found["state"] == "fault"
    assert "createsuperuser" in found["remedy"]


@pytest.mark.parametrize(("mfa", "state"), [("required", "fault"), ("optional", "warning")])
def test_names_an_administrator_without_codes(
    mfa: str, state: str, doctor: Doctor, settings: Any
) -> None:
    settings.ADMIN_MFA = mfa
    TOTPDevice.objects.update(confirmed=False)

    found = doctor()["administrator"]

    assert found["state"] == state
    assert found["remedy"] == "Run: manage.py enrol_mfa USER"


def test_takes_no_account_of_the_provider_for_the_break_glass_account(
    doctor: Doctor, settings: Any
) -> None:
    settings.ADMIN_LOGIN = "oidc"
    user = get_user_model().objects.get(is_superuser=True)
    StaffIdentity.objects.create(
        user=user, issuer="https://idp.example", subject="1", bound_at=timezone.now()
    )

    assert doctor()["break-glass account"]["state"] == "fault"


def test_names_a_break_glass_account_that_nobody_can_open(doctor: Doctor, settings: Any) -> None:
    settings.ADMIN_LOGIN = "oidc"
    for user in get_user_model().objects.filter(is_superuser=True):
        user.set_unusable_password()
        user.save()

    assert doctor()["break-glass account"]["state"] == "fault"


def test_says_that_the_identity_provider_answers(
    doctor: Doctor,
    organisation: Organisation,  # noqa: F811
) -> None:
    assert doctor()["identity provider"]["state"] == "ok"


def test_names_an_identity_provider_that_is_away(
    doctor: Doctor,
    organisation: Organisation,  # noqa: F811
) -> None:
    organisation.down = True

    found = doctor()["identity provider"]

    assert found["state"] == "fault"
    assert "cannot be reached" in found["said"]
    assert "break-glass" in found["remedy"]


def test_names_an_issuer_that_the_provider_does_not_call_itself(
    doctor: Doctor,
    organisation: Organisation,  # noqa: F811
) -> None:
    organisation.document = {"issuer": "https://idp.example/another"}

    assert "OIDC_ISSUER is not what" in doctor()["identity provider"]["said"]


def test_warns_of_a_group_map_that_names_no_group_of_ours(
    doctor: Doctor,
    organisation: Organisation,  # noqa: F811
    settings: Any,
) -> None:
    settings.OIDC_GROUP_MAP = {"theirs": ("Nobody's group",)}

    found = doctor()["OIDC_GROUP_MAP"]

    assert found["state"] == "warning"
    assert "setup_roles" in found["remedy"]
