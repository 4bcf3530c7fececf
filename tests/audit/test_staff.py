"""The log says who of the staff signed in, and who got or lost which rights by whom."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from tests.support.factories import sign_in
from tests.support.visitor import events

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    return User.objects.create_superuser("root", password="secret")


def test_records_a_staff_login_through_the_form(root):
    sign_in(Client(), "root")

    assert [event["actor"] for event in events("staff.login")] == [f"staff:{root.pk}"]


def test_records_no_failed_login(root):
    sign_in(Client(), "root", "wrong")

    assert events("staff.login") == []


def test_records_who_gave_whom_a_role(root):
    clerk = User.objects.create_user("clerk", is_staff=True)
    role = Group.objects.create(name="Auditor")
    browser = Client()
    browser.force_login(root)

    form = {"username": "clerk", "is_active": "on", "groups": [role.pk]}
    browser.post(f"/admin/auth/user/{clerk.pk}/change/", form)

    (event,) = events("staff.rights_changed")
    assert event["actor"] == f"staff:{root.pk}"
    assert event["data"] == {
        "who": f"staff:{clerk.pk}",
        "change": "added",
        "what": ["group:Auditor"],
    }


def test_records_a_role_that_is_taken_away_from_the_command_line(root):
    role = Group.objects.create(name="Auditor")
    root.groups.add(role)

    root.groups.remove(role)

    event = events("staff.rights_changed")[-1]
    assert (event["actor"], event["data"]["change"]) == ("system", "removed")


def test_records_what_a_role_may_do():
    role = Group.objects.create(name="Auditor")

    role.permissions.add(Permission.objects.get(codename="view_auditevent"))

    (event,) = events("staff.rights_changed")
    assert event["data"]["who"] == "group:Auditor"
    assert event["data"]["what"] == ["permission:audit.view_auditevent"]


def test_records_an_account_made_superuser_or_closed(root):
    root.is_active = False
    root.save()

    made, closed = events("staff.account_changed")
    assert made["data"]["after"]["is_superuser"] is True
    assert (closed["data"]["before"]["is_active"], closed["data"]["after"]["is_active"]) == (
        True,
        False,
    )


def test_records_a_new_password_and_a_new_name_without_repeating_them(root):
    clerk = User.objects.create_user("clerk", is_staff=True)
    browser = Client()
    browser.force_login(root)

    password = {"password1": "correct-horse-1", "password2": "correct-horse-1"}
    form = password | {"usable_password": "true", "set-password": "1"}
    browser.post(f"/admin/auth/user/{clerk.pk}/password/", form)
    browser.post(f"/admin/auth/user/{clerk.pk}/change/", {"username": "claire", "is_active": "on"})

    found = events("staff.particulars_changed")
    assert [event["data"]["fields"] for event in found] == [["password"], ["username"]]
    assert {event["actor"] for event in found} == {f"staff:{root.pk}"}
    assert "claire" not in str(found)


def test_records_no_password_that_signing_in_only_hashed_anew(root, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = User.objects.get().password

    sign_in(Client(), "root")

    assert User.objects.get().password != before
    assert events("staff.particulars_changed") == []


def test_records_what_a_role_was_called_before(root):
    role = Group.objects.create(name="Auditor")

    role.name = "Revisor"
    role.save()

    (event,) = events("staff.role_renamed")
    assert event["data"] == {"who": "group:Revisor", "before": "group:Auditor"}


def test_records_nothing_when_an_account_is_saved_as_it_is(root):
    count = len(events("staff.account_changed"))

    root.save()

    assert len(events("staff.account_changed")) == count


def test_records_a_deleted_account(root):
    name = f"staff:{root.pk}"

    root.delete()

    assert [event["data"] for event in events("staff.deleted")] == [{"who": name}]
