"""Guest creations in the admin: found and read, never written, by superusers neither."""

import pytest
from django.test import Client

from provisioning.models import GuestCreation
from tests.support.factories import staff
from tests.support.platform import Platform
from tests.support.webchat import Webchat, session_hash

LIST = "/admin/provisioning/guestcreation/"


@pytest.fixture
def creations(webchat: Webchat, platform: Platform) -> list[GuestCreation]:
    """One creation with a stated yes, one declined, one with an assumed yes."""
    webchat.init("stated")
    webchat.init("declined", consentGiven=False)
    webchat.init("silent", consentGiven=None)
    return list(GuestCreation.objects.order_by("id"))


@pytest.fixture
def superuser(db: None) -> Client:
    client = Client()
    client.force_login(staff())
    return client


@pytest.mark.parametrize("verb", ["change", "delete", "history"])
def test_superusers_cannot_write_a_creation(
    verb: str, creations: list[GuestCreation], superuser: Client
) -> None:
    before = list(GuestCreation.objects.values())
    url = f"{LIST}{creations[0].pk}/{verb}/"

    superuser.post(url, {"status": "failed", "guest_id": "x", "post": "yes"})

    assert list(GuestCreation.objects.values()) == before


def test_superusers_cannot_add_a_creation(superuser: Client) -> None:
    assert superuser.get(f"{LIST}add/").status_code == 403
    assert superuser.post(f"{LIST}add/", {}).status_code == 403


def test_superusers_cannot_delete_creations_in_bulk(
    creations: list[GuestCreation], superuser: Client
) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [creations[0].pk], "post": "yes"}

    superuser.post(LIST, chosen)

    assert GuestCreation.objects.count() == len(creations)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2]),
        ("status__exact=ready", [0, 1, 2]),
        ("status__exact=unknown", []),
        ("consent_basis__exact=assumed", [2]),
        ("consent_basis__exact=stated", [0, 1]),
    ],
)
def test_narrows_the_list(
    query: str, found: list[int], creations: list[GuestCreation], superuser: Client
) -> None:
    page = superuser.get(f"{LIST}?{query}").content.decode()

    assert [place for place, row in enumerate(creations) if str(row.pk) in page] == found


@pytest.mark.parametrize("term", ["guest-2", "declined", session_hash("declined")])
def test_finds_a_creation_by_what_names_it(
    term: str, creations: list[GuestCreation], superuser: Client
) -> None:
    answer = superuser.post(f"{LIST}find/", {"term": term})

    assert answer.headers["Location"] == f"{LIST}{creations[1].pk}/change/"


@pytest.mark.parametrize("term", ["guest-", "decl", session_hash("declined")[:20]])
def test_finds_nothing_by_a_part(
    term: str, creations: list[GuestCreation], superuser: Client
) -> None:
    page = superuser.post(f"{LIST}find/", {"term": term})

    assert "Nothing was found for" in page.content.decode()


def test_shows_the_list_again_where_nothing_is_looked_for(superuser: Client) -> None:
    assert superuser.post(f"{LIST}find/", {"term": " "}).headers["Location"] == LIST


@pytest.mark.parametrize(
    ("role", "status"),
    [("Compliance reviewer", 200), ("CRM administrator", 403), ("Auditor", 403)],
)
def test_shows_creations_to_those_whose_work_they_are(role: str, status: int, db: None) -> None:
    client = Client()
    client.force_login(staff(role))

    assert client.get(LIST).status_code == status
