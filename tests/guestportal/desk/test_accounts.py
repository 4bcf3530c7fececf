"""Accounts of the staff in the admin: who is staff follows from the groups."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from guestportal.desk.staff_status import staff_from_groups
from tests.support.confirming import confirm
from tests.support.factories import signed_in
from tests.support.visitor import events

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> Client:
    return signed_in()


@pytest.fixture
def clerk() -> User:
    return User.objects.create_user("clerk")


def save(browser: Client, user: User, **fields: Any) -> User:
    """Send the user's form as the page shows it, with these fields changed."""
    form = {"username": user.username, "is_active": "on", **fields}
    answer = browser.post(f"/admin/auth/user/{user.pk}/change/", form)
    assert answer.status_code == 302, answer.context["errors"]
    return User.objects.get(pk=user.pk)


def test_makes_staff_of_whoever_gets_a_group(root: Client, clerk: User) -> None:
    role = Group.objects.create(name="Auditor")

    assert save(root, clerk, groups=[role.pk]).is_staff
    assert events("staff.account_changed")[-1]["data"]["after"]["is_staff"] is True


def test_takes_staff_status_with_the_last_group(root: Client, clerk: User) -> None:
    roles = [Group.objects.create(name=name) for name in ("Auditor", "CRM administrator")]
    save(root, clerk, groups=[role.pk for role in roles])

    assert save(root, clerk, groups=[roles[0].pk]).is_staff
    assert not save(root, clerk).is_staff


def test_leaves_superusers_staff_without_a_group(root: Client, clerk: User) -> None:
    assert save(root, clerk, is_superuser="on").is_staff
    assert not save(root, clerk).is_staff


def test_takes_no_staff_status_from_the_form(root: Client, clerk: User) -> None:
    page = root.get(f"/admin/auth/user/{clerk.pk}/change/").content.decode()

    assert 'name="is_staff"' not in page
    assert "Follows from the groups" in page
    assert not save(root, clerk, is_staff="on").is_staff


def test_takes_staff_status_with_a_group_that_is_deleted(root: Client, clerk: User) -> None:
    role = Group.objects.create(name="Auditor")
    save(root, clerk, groups=[role.pk])

    confirm(root, f"/admin/auth/group/{role.pk}/delete/", {})

    assert not User.objects.get(pk=clerk.pk).is_staff


def test_says_whether_staff_status_changed(clerk: User) -> None:
    clerk.groups.add(Group.objects.create(name="Auditor"))

    assert [staff_from_groups(user=clerk), staff_from_groups(user=clerk)] == [True, False]
