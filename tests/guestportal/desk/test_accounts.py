"""Accounts of the staff in the admin: staff status, sign-in that is locked, deleting."""

from typing import Any

import pytest
from axes.helpers import get_client_cache_keys
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from guestportal.desk.unlocking import unlock
from guestportal.models import StaffIdentity
from guestportal.staff import staff_from_groups
from provisioning import reviews
from tests.support.confirming import confirm
from tests.support.factories import creation, sign_in, signed_in, staff
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


# --- Sign-in that wrong passwords have closed ----------------------------------------------------


@pytest.fixture
def locked(clerk: User) -> User:
    """Give the clerk a password, and try five others."""
    clerk.set_password("secret")
    clerk.save()
    clerk.groups.add(Group.objects.create(name="Auditor"))
    staff_from_groups(user=clerk)
    elsewhere = Client(REMOTE_ADDR="192.0.2.1")  # an address has ten tries a minute
    for _ in range(5):
        sign_in(elsewhere, "clerk", "wrong")
    assert sign_in(elsewhere, "clerk").status_code == 429
    return clerk


def test_unlocks_a_name_once_that_is_confirmed(root: Client, locked: User) -> None:
    page = f"/admin/auth/user/{locked.pk}/change/"
    assert "Five wrong passwords or codes closed this name" in root.get(page).content.decode()

    unlock = f"/admin/auth/user/{locked.pk}/unlock/"
    assert "What will happen" in root.get(unlock).content.decode()
    assert sign_in(Client(), "clerk").status_code == 429
    confirm(root, unlock, {})

    assert "Five wrong passwords" not in root.get(page).content.decode()
    assert sign_in(Client(), "clerk").status_code == 302


def test_unlocks_names_from_the_list(root: Client, locked: User) -> None:
    action = {"action": "unlock_selected", "_selected_action": [locked.pk]}

    confirm(root, "/admin/auth/user/", action)

    assert sign_in(Client(), "clerk").status_code == 302


def test_unlocks_by_a_command(locked: User) -> None:
    call_command("unlock_staff", "clerk", verbosity=0)

    assert sign_in(Client(), "clerk").status_code == 302


def kept_by_axes(user: User) -> list[str]:
    attempt = AccessAttempt(username=user.username, ip_address=None, user_agent="")
    keys: list[str] = get_client_cache_keys(attempt)
    assert cache.get(keys[0]) == 5
    return keys


def test_unlocks_what_only_another_process_counted(locked: User) -> None:
    """Without Redis, or while it is away, a command cannot reach what is counted."""
    counted = {key: cache.get(key) for key in kept_by_axes(locked)}
    cache.clear()  # the memory of the command's process

    call_command("unlock_staff", "clerk", verbosity=0)

    cache.set_many(counted)  # that of the web process
    assert sign_in(Client(), "clerk").status_code == 302


def test_counts_anew_after_unlocking(locked: User) -> None:
    unlock(user=locked)

    found = [sign_in(Client(), "clerk", "wrong").status_code for _ in range(5)]

    assert found == [200] * 4 + [429]


@pytest.mark.parametrize("by", ["admin", "command"])
def test_records_who_unlocked_whom(root: Client, locked: User, by: str) -> None:
    if by == "admin":
        confirm(root, f"/admin/auth/user/{locked.pk}/unlock/", {})
    else:
        call_command("unlock_staff", "clerk", verbosity=0)

    [event] = events("staff.unlocked")
    root_number = User.objects.get(username="root").pk
    assert event["actor"] == {"admin": f"staff:{root_number}", "command": "system"}[by]
    assert event["data"] == {"who": f"staff:{locked.pk}"}


def test_lets_only_superusers_unlock(clerk: User) -> None:
    manager = staff("Auditor")
    manager.user_permissions.add(*Permission.objects.filter(content_type__app_label="auth"))
    browser = Client()
    browser.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")

    page = browser.get(f"/admin/auth/user/{clerk.pk}/change/").content.decode()

    assert "Unlock" not in page
    assert browser.post(f"/admin/auth/user/{clerk.pk}/unlock/").status_code == 403
    assert "unlock_selected" not in browser.get("/admin/auth/user/").content.decode()


def test_names_an_account_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="there is no user nobody"):
        call_command("unlock_staff", "nobody")


def test_says_whose_groups_follow_from_the_organisation(root: Client, clerk: User) -> None:
    page = f"/admin/auth/user/{clerk.pk}/change/"
    assert "Signs in with your organisation" not in root.get(page).content.decode()

    StaffIdentity.objects.create(
        user=clerk, issuer="https://id.example", subject="1", bound_at=timezone.now()
    )

    shown = root.get(page).content.decode()
    assert "Signs in with your organisation" in shown
    assert "/unlock/" not in shown


# --- Deleting ----------------------------------------------------------------------------------


def test_deletes_a_user_once_the_word_is_typed(root: Client, clerk: User) -> None:
    path = f"/admin/auth/user/{clerk.pk}/delete/"

    confirm(root, path, {}, answer="tick")
    assert User.objects.filter(pk=clerk.pk).exists()
    confirm(root, path, {}, answer="delete")

    assert not User.objects.filter(pk=clerk.pk).exists()


def test_keeps_a_reviewer_and_says_what_to_do_instead(root: Client, clerk: User) -> None:
    row = creation(status="unknown")
    reviews.review(creations=[row.id], reviewer=clerk, verdict="in_order", reason="Seen")

    answer = confirm(root, f"/admin/auth/user/{clerk.pk}/delete/", {}, answer="delete")

    assert "Take away its tick at “Active” instead" in answer.content.decode()
    assert User.objects.filter(pk=clerk.pk).exists()


def test_calls_one_time_codes_so_where_they_are_listed():
    page = signed_in().get("/admin/otp_totp/totpdevice/").content.decode()

    assert "One-time codes</a>" in page
    assert "OTP_TOTP" not in page
