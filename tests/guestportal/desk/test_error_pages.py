"""Pages that say what went wrong, in our layout, in words for staff and with none for robots."""

import pytest
from django.test import Client, RequestFactory

from guestportal.desk.error_pages import broken
from tests.support.factories import signed_in

pytestmark = pytest.mark.django_db


def _forged(browser):
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = browser.cookies
    return careful.post("/admin/provisioning/guestcreation/", {"action": ""})


PAGES = {
    "forbidden": (lambda b: b.get("/admin/crm/crmrecord/"), 403, "You may not see this page"),
    "nowhere": (lambda b: b.get("/admin/nowhere/"), 404, "There is no such page"),
    "outside": (lambda b: b.get("/nowhere"), 404, "There is no such page"),
    "forged": (_forged, 403, "This form can no longer be sent"),
    "broken": (lambda b: broken(RequestFactory().get("/")), 500, "Something went wrong"),
}


@pytest.mark.parametrize(("ask", "status", "heading"), PAGES.values(), ids=PAGES)
def test_says_it_in_our_layout(ask, status, heading):
    answer = ask(signed_in("Compliance reviewer"))

    page = answer.content.decode()
    assert answer.status_code == status
    assert heading in page
    assert "backoffice/admin.css" in page
    assert 'href="/admin/"' in page
    assert "DEBUG" not in page


def test_says_it_also_where_no_page_can_be_shown(settings):
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [], "APP_DIRS": False, "OPTIONS": {}}]

    answer = Client().get("/nowhere")

    assert (answer.status_code, answer.content) == (404, b"404\n")


@pytest.mark.parametrize("role", ["Compliance reviewer", "CRM administrator"])
def test_names_what_was_looked_for_on_the_page_alone(role):
    kind = "provisioning/guestcreation" if role[1] == "o" else "crm/crmrecord"
    browser = signed_in(role)

    answer = browser.post(f"/admin/{kind}/find/", {"term": " a-session<of>jane "})

    assert (
        "Nothing was found for <strong><bdi>a-session&lt;of&gt;jane</bdi>"
        in answer.content.decode()
    )
    assert "no-store" in answer["Cache-Control"]
    assert "jane" not in str(dict(browser.session))
