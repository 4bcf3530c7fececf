"""Who gets which account by the identity provider, and what it may do."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client

from audit.models import AuditEvent
from guestportal.models import StaffIdentity
from guestportal.signin import accounts
from guestportal.signin.person import Person
from guestportal.signin.provider import Tokens
from tests.support.factories import staff
from tests.support.organisation import AUDITORS, ISSUER, REVIEWERS, SUBJECT, sign_in

pytestmark = pytest.mark.django_db


def groups_of(user):
    return sorted(user.groups.values_list("name", flat=True))


def test_makes_an_account_for_a_person_who_never_had_one(organisation, client):
    answer = sign_in(organisation, client, page="/admin/provisioning/guestcreation/?tab=queue")

    assert answer.headers["Location"] == "/admin/provisioning/guestcreation/?tab=queue"
    assert client.get("/admin/").status_code == 200
    identity = StaffIdentity.objects.get()
    assert (identity.issuer, identity.subject) == (ISSUER, SUBJECT)
    assert groups_of(identity.user) == ["Compliance reviewer"]
    assert not identity.user.has_usable_password()


def test_names_nobody_by_an_address(organisation, client):
    sign_in(organisation, client)

    user = User.objects.get()
    assert user.username.startswith("jane-")
    assert (user.email, user.first_name, user.last_name) == ("", "", "")


def test_makes_no_account_without_a_mapped_group(organisation, client):
    organisation.groups = ["everybody", "Compliance reviewer"]  # ours, but not their name for it

    answer = sign_in(organisation, client)

    assert answer.status_code == 403
    assert "no group that works here" in answer.content.decode()
    assert not User.objects.exists()
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("groups", [[], "everybody", ["superusers", "root", "admin"]])
def test_lets_nobody_in_by_groups_that_mean_nothing(organisation, client, groups):
    organisation.groups = groups

    assert sign_in(organisation, client).status_code == 403


def test_takes_a_single_group_that_is_no_list(organisation, client):
    organisation.groups = AUDITORS

    sign_in(organisation, client)

    assert groups_of(User.objects.get()) == ["Auditor"]


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": [AUDITORS]}}),
        ("https://corp.example/groups", {"https://corp.example/groups": [AUDITORS]}),
        ("a.b.c", {"a": {"b": {"c": AUDITORS}}}),
    ],
)
def test_finds_the_claim_under_the_name_it_has_there(organisation, client, settings, name, claims):
    settings.OIDC_GROUPS_CLAIM = name
    organisation.claims = claims

    sign_in(organisation, client)

    assert groups_of(User.objects.get()) == ["Auditor"]


@pytest.mark.parametrize("claims", [{"a": 1}, {"a": {"b": None}}, {"a": ["b"]}, {}])
def test_finds_no_claim_that_is_not_there(organisation, client, settings, claims):
    settings.OIDC_GROUPS_CLAIM = "a.b"
    organisation.claims = claims

    assert sign_in(organisation, client).status_code == 403


def test_gives_and_takes_groups_with_each_sign_in(organisation, client):
    sign_in(organisation, client)
    organisation.groups = [AUDITORS]

    sign_in(organisation, client)

    assert groups_of(User.objects.get()) == ["Auditor"]


def test_takes_away_a_group_that_was_given_here(organisation, client):
    sign_in(organisation, client)
    user = User.objects.get()
    user.groups.add(Group.objects.get(name="CRM administrator"))

    sign_in(organisation, client)

    assert groups_of(user) == ["Compliance reviewer"]


def test_keeps_out_whoever_has_lost_the_last_group(organisation, client):
    sign_in(organisation, client)
    organisation.groups = []

    answer = sign_in(organisation, Client())

    user = User.objects.get()
    assert answer.status_code == 403
    assert (groups_of(user), user.is_staff, user.is_active) == ([], False, True)
    assert client.get("/admin/").status_code == 302  # in another browser too


def test_lets_them_in_again_with_the_group(organisation, client):
    sign_in(organisation, client)
    organisation.groups = []
    sign_in(organisation, client)
    organisation.groups = [REVIEWERS]

    sign_in(organisation, client)

    assert client.get("/admin/").status_code == 200
    assert User.objects.count() == 1


def test_takes_over_no_local_account_of_the_same_name_or_address(organisation, client):
    local = User.objects.create_superuser("jane", "jane@corp.example", "secret")
    organisation.claims = {"preferred_username": "jane", "email": "jane@corp.example"}

    sign_in(organisation, client)

    assert client.session["_auth_user_id"] != str(local.pk)
    local.refresh_from_db()
    assert local.check_password("secret")
    assert local.is_superuser
    assert not local.groups.exists()


@pytest.mark.parametrize(
    "claims",
    [{"sub": SUBJECT.upper()}, {"sub": SUBJECT + " "}, {"sub": SUBJECT[:-1]}],
    ids=["capitals", "a blank more", "a letter less"],
)
def test_takes_another_subject_for_another_person(organisation, client, claims):
    sign_in(organisation, client)
    organisation.claims = claims

    sign_in(organisation, Client())

    assert User.objects.count() == 2


def test_takes_the_same_subject_of_another_issuer_for_another_person(organisation, client):
    other = staff("Auditor")
    StaffIdentity.objects.create(
        user=other, issuer=ISSUER[:-1], subject=SUBJECT, bound_at="2026-01-01T00:00Z"
    )

    sign_in(organisation, client)

    assert client.session["_auth_user_id"] != str(other.pk)


def test_keeps_a_deactivated_account_out(organisation, client):
    sign_in(organisation, client)
    User.objects.update(is_active=False)
    organisation.groups = [REVIEWERS, AUDITORS]

    answer = sign_in(organisation, Client())

    assert answer.status_code == 403
    assert "deactivated" in answer.content.decode()
    assert groups_of(User.objects.get()) == ["Compliance reviewer"]
    assert client.get("/admin/").status_code == 302


def test_makes_nobody_a_superuser(organisation, client, settings):
    organisation.claims = {"is_superuser": True, "is_staff": True, "roles": ["superuser"]}
    settings.OIDC_GROUP_MAP = {REVIEWERS: ("Compliance reviewer", "superuser", "is_superuser")}

    sign_in(organisation, client)

    assert not User.objects.get().is_superuser


def test_makes_a_password_that_was_given_by_hand_unusable_again(organisation, client):
    sign_in(organisation, client)
    user = User.objects.get()
    user.set_password("secret")
    user.save()

    sign_in(organisation, client)

    user.refresh_from_db()
    assert not user.has_usable_password()


def test_says_that_a_map_names_groups_that_do_not_exist(organisation, client, settings, caplog):
    settings.OIDC_GROUP_MAP = {REVIEWERS: ("Complience reviewer",)}

    answer = sign_in(organisation, client)

    assert answer.status_code == 502
    assert "run setup_roles" in caplog.text
    assert not User.objects.exists()


def test_records_sign_ins_and_changes_of_groups_under_a_number_alone(organisation, client):
    sign_in(organisation, client)
    organisation.groups = [AUDITORS]
    sign_in(organisation, client)

    user = User.objects.get()
    events = list(AuditEvent.objects.values("kind", "actor", "body"))
    who = f"staff:{user.pk}"
    assert [each["actor"] for each in events if each["kind"] == "staff.login"] == [who, who]
    changes = [json.loads(each["body"])["data"] for each in events if "rights" in each["kind"]]
    assert {
        (each["who"], each["change"], each["what"][0])
        for each in changes
        if each["who"].startswith("staff:")
    } == {
        (who, "added", "group:Compliance reviewer"),
        (who, "removed", "group:Compliance reviewer"),
        (who, "added", "group:Auditor"),
    }
    assert not any(word in str(events) for word in (SUBJECT, "jane", "corp.example", AUDITORS))


def test_logs_and_counts_a_refusal_by_mapping_without_saying_whom(organisation, client, caplog):
    organisation.groups = ["a group with Jane's name"]
    before = refusals()

    sign_in(organisation, client)

    assert "none of their groups is in OIDC_GROUP_MAP" in caplog.text
    assert not any(word in caplog.text for word in (SUBJECT, "jane", "Jane", "corp.example"))
    assert refusals() == before + 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there two never write at once")
@pytest.mark.django_db(transaction=True)
def test_makes_one_account_of_two_first_sign_ins_at_once(organisation):
    together = Barrier(8)
    person = Person(SUBJECT, "jane", frozenset([REVIEWERS]), Tokens("access", "", "refresh"))

    def come(_):
        together.wait()
        try:
            return accounts.admit(person=person).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(come, range(8)))

    assert len(found) == 1
    assert User.objects.count() == 1


def refusals():
    from prometheus_client import REGISTRY

    name = "guestportal_sign_ins_total"
    return REGISTRY.get_sample_value(name, {"outcome": "no_group"}) or 0
