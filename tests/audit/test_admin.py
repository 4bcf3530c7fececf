"""The admin shows the log, lets nobody write to it, and remembers who looked."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from audit.models import AuditEvent
from tests.audit.factories import event, sealed_event

pytestmark = pytest.mark.django_db

LIST = "/admin/audit/auditevent/"


@pytest.fixture
def superuser():
    return User.objects.create_superuser("root")


@pytest.fixture
def browser(superuser):
    client = Client()
    client.force_login(superuser)
    return client


@pytest.mark.parametrize("model", ["auditevent", "auditseal"])
def test_lets_not_even_a_superuser_write(browser, model):
    recorded = sealed_event()
    key = recorded.pk if model == "auditevent" else 1

    pages = [f"/admin/audit/{model}/{page}" for page in ("add/", f"{key}/delete/")]

    assert [browser.get(page).status_code for page in pages] == [403, 403]
    assert browser.post(f"/admin/audit/{model}/{key}/change/", {"kind": "x"}).status_code == 403


def test_shows_an_event_with_its_seal(browser):
    recorded = sealed_event(kind="guest.created")

    page = browser.get(f"{LIST}{recorded.pk}/change/").content.decode()

    assert f"seal 1, position {recorded.leaf.position}" in page
    assert "guest.created" in page


def test_shows_an_event_that_waits_for_its_seal(browser):
    assert "not sealed yet" in browser.get(f"{LIST}{event().pk}/change/").content.decode()


@pytest.mark.parametrize("column", ["id", "subject", "request_id"])
def test_finds_events_by_a_whole_value(browser, column):
    wanted = event(subject="a" * 64, request_id="1a" * 16)
    event(subject="b" * 64, request_id="2b" * 16)

    found = browser.get(LIST, {"q": str(getattr(wanted, column))}).context_data["cl"].result_list

    assert [one.pk for one in found] == [wanted.pk]


def test_narrows_by_kind_and_period(browser):
    wanted = event(kind="guest.created")
    event(kind="token.issued")

    found = browser.get(LIST, {"kind": "guest.created", "days": "7"}).context_data["cl"].result_list

    assert [one.pk for one in found] == [wanted.pk]


def test_offers_each_kind_once(browser):
    for kind in ("token.issued", "guest.created", "token.issued"):
        event(kind=kind)

    filters = browser.get(LIST).context_data["cl"].filter_specs

    kinds = [kind for kind, _ in filters[1].lookup_choices if not kind.startswith("staff.")]
    assert kinds == ["guest.created", "token.issued"]


def test_records_who_looked_at_the_list(browser, superuser):
    event(kind="guest.created")

    browser.get(LIST, {"kind": "guest.created"})

    seen = AuditEvent.objects.get(kind="audit.viewed")
    assert seen.actor == f"staff:{superuser.pk}"
    assert json.loads(seen.body)["data"] == {"filter": {"kind": "guest.created"}, "rows": 1}


def test_does_not_repeat_what_was_searched_in_vain(browser):
    event()

    browser.get(LIST, {"q": "jane@example.com"})

    assert "jane" not in AuditEvent.objects.get(kind="audit.viewed").body


def test_records_who_looked_at_an_event(browser):
    target = event()

    browser.get(f"{LIST}{target.pk}/change/")

    seen = AuditEvent.objects.get(kind="audit.viewed")
    assert json.loads(seen.body)["data"]["filter"] == {"id": str(target.pk)}


def test_shows_nothing_to_staff_without_the_permission(browser):
    client = Client()
    clerk = User.objects.create_user("clerk", is_staff=True)
    client.force_login(clerk)

    assert client.get(LIST).status_code == 403

    clerk.user_permissions.add(Permission.objects.get(codename="view_auditevent"))
    assert client.get(LIST).status_code == 200


def test_counts_no_further_than_it_shows(browser, monkeypatch):
    monkeypatch.setattr("backoffice.lists.NewestPaginator.LIMIT", 2)
    for _ in range(3):
        event()

    assert browser.get(LIST).context_data["cl"].paginator.count == 2
