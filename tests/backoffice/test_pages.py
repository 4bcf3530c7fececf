"""No list, search, filter, action or form of the staff pages is a 500, whatever it is asked."""

import json
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from tests.audit.factories import event
from tests.support.factories import creation, crm_record, signed_in

# A driver's refusal ends the transaction that a test would otherwise stand in.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough]

NUL, LONG, HUGE = "a\x00b", "x" * 5_000, "9" * 400
ASKED = [
    *(
        {name: NUL}
        for name in ("q", "o", "p", "kind", "tab", "found", "like", "id", "guest_id", NUL)
    ),
    *(
        {name: value}
        for name in ("why", "reviewer", "verdict__exact", "reviewer__id__exact", "days", "scope")
        for value in (NUL, "none", LONG, HUGE, "-1")
    ),
    *(
        {"_changelist_filters": each}
        for each in ("tab=%00", "status__exact=%00", "why=none&p=" + HUGE, "%00", LONG)
    ),
    *({name: HUGE} for name in ("o", "p", "days", "id__in", "id__gt", "created_at__year")),
    {"q": LONG},
    {"q": b"\xed\xa0\x80"},
    {"status__exact": "none"},
    {"state__exact": "none"},
    {"guest_id__regex": "("},
    {"like": "none"},
    {"session_hash": "00"},
    {"created_at__gte": "9999-12-31T23:59:59-12:00"},
    {"date_joined__gte": "0001-01-01T00:00:00+14:00"},
    {"_to_field": "none"},
]
MODELS = [model._meta.label_lower.replace(".", "_") for model in admin.site._registry]
OWN_ACTIONS = {
    "provisioning_guestcreation": "review_selected",
    "provisioning_noticedraft": "publish",
    "provisioning_platformdeletion": "mark_done",
}
PERSON = "/admin/provisioning/guestcreation/person/"
FINDS = [
    *("/admin/provisioning/guestcreation/find/", "/admin/crm/crmrecord/find/"),
    PERSON,
]


@pytest.fixture
def browser() -> Client:
    crm_record("jane")
    creation(session_id="jane")
    client = signed_in()
    client.raise_request_exception = False
    return client


def status(answer: Any) -> int:
    """Return an answer's status once all of it was made."""
    if answer.streaming:
        b"".join(answer.streaming_content)
    return int(answer.status_code)


@pytest.mark.parametrize("model", MODELS)
def test_narrows_no_list_into_an_error(model: str, browser: Client) -> None:
    address = reverse(f"admin:{model}_changelist")

    bad = [each for each in ASKED if status(browser.get(address, each)) >= 500]

    assert bad == []


@pytest.mark.parametrize("model", MODELS)
def test_opens_no_page_of_a_key_that_is_none(model: str, browser: Client) -> None:
    address = reverse(f"admin:{model}_changelist")

    keys = ["%00", "_00", HUGE, "x" * 300, "%ED%A0%80"]
    pages = [f"{address}{key}/{page}/" for key in keys for page in ("change", "delete", "history")]
    bad = [page for page in pages if status(browser.get(page)) >= 500]

    assert bad == []


@pytest.mark.parametrize("model", MODELS)
def test_acts_on_no_key_that_is_none(model: str, browser: Client) -> None:
    address = reverse(f"admin:{model}_changelist")
    actions = ["delete_selected", OWN_ACTIONS.get(model, NUL)]
    asked = [
        {"action": action, "_selected_action": key, "index": "0", "select_across": "0"}
        for action in actions
        for key in (NUL, HUGE, "none")
    ]

    bad = [each for each in asked if status(browser.post(address, each)) >= 500]

    assert bad == []


@pytest.mark.parametrize("model", ["provisioning_guestcreation", "crm_crmrecord"])
def test_exports_nothing_for_a_filter_that_is_none(model: str, browser: Client) -> None:
    address = reverse(f"admin:{model}_export")

    bad = [each for each in ASKED if status(browser.get(address, each)) >= 500]

    assert bad == []


@pytest.mark.parametrize("address", FINDS)
@pytest.mark.parametrize("multipart", [True, False])
def test_finds_nothing_by_a_text_that_is_none(
    address: str, multipart: bool, browser: Client
) -> None:
    kind = {} if multipart else {"content_type": "application/x-www-form-urlencoded"}
    terms = [NUL, LONG, HUGE, "@\x00", "a@" + LONG, "visitor_00000000@\x00", "\x00"]
    forms = [{"term": each} if multipart else f"term={each}" for each in terms]

    assert [each for each in forms if status(browser.post(address, each, **kind)) >= 500] == []


ODD = [NUL, LONG, HUGE, "", "-1", "none", "0001-01-01", "9999-12-31", "\u202ea", "a\r\nb"]


@pytest.mark.parametrize("name", ["do", "channel", "received", "case", "reference", "confirm_said"])
@pytest.mark.parametrize("do", ["withdraw", "hold", "erase", "export", "print", "none"])
def test_does_nothing_to_a_person_that_is_said_by_what_is_none(
    name: str, do: str, browser: Client
) -> None:
    page = browser.post(PERSON, {"term": "jane"}).headers["Location"]
    said = {"do": do, "channel": "letter", "received": "2026-01-01", "reference": "case-1"}

    bad = [value for value in ODD if status(browser.post(page, said | {name: value})) >= 500]

    assert bad == []


@pytest.mark.parametrize("name", ["x", "%00", "x" * 300, "-", "%ED%A0%80"])
def test_shows_no_person_under_a_name_that_is_none(name: str, browser: Client) -> None:
    assert status(browser.get(f"{PERSON}{name}/")) < 500


@pytest.mark.parametrize("field", ["name", "scope", "good_for"])
def test_makes_no_token_of_what_is_none(field: str, browser: Client) -> None:
    said = {"name": "CRM sync", "scope": "read", "good_for": "30"}

    forms = [said | {field: value} for value in ODD]

    page = "/admin/crm/apitoken/add/"
    assert [form for form in forms if status(browser.post(page, form)) >= 500] == []


def test_previews_nothing_for_a_visitor_that_is_no_text(browser: Client) -> None:
    for form in ({"preview_visitor": NUL}, {"target": "a", "preview_mapping": HUGE}):
        assert status(browser.post("/admin/mapping-preview/", form)) < 500


@pytest.mark.parametrize(
    "text", ['{"a": "\\ud800"}', '["\\ud800"]', "[" * 3_000, '{"a": 1e999}', '["\\u0000"]', HUGE]
)
def test_takes_what_looks_like_json_for_text(text: str, browser: Client) -> None:
    record = {"session_id": "a-session", "email": "a@example.com", "previous_tickets": "1"}
    record |= {"attributes-name": "a", "attributes-value": text}
    notice = {"version": "2", "language": "en", "text": "x", "controller": "c"}
    notice |= {"effective_at_0": "2026-01-01", "effective_at_1": "00:00", "purposes": text}
    forms = {"/admin/crm/crmrecord/add/": record, "/admin/provisioning/noticedraft/add/": notice}

    answers = [status(browser.post(page, form)) for page, form in forms.items()]

    assert all(answer < 500 for answer in answers)
    shown = ["/admin/crm/crmrecord/", "/admin/provisioning/noticedraft/"]
    assert [status(browser.get(page)) for page in shown] == [200, 200]


@pytest.mark.parametrize("page", ["/admin/", "/admin/login/", "/api/docs"])
def test_looks_for_no_session_by_a_cookie_that_is_no_text(page: str, client: Client) -> None:
    client.raise_request_exception = False

    answer = client.get(page, headers={"Cookie": r'sessionid="\000aaaaaaaaaaaa"'})

    assert answer.status_code < 500


# --- What is written down of it -----------------------------------------------------------------


def recorded(kind: str) -> Any:
    return json.loads(AuditEvent.objects.filter(kind=kind).latest("id").body)["data"]["filter"]


@pytest.mark.parametrize(
    "asked",
    [
        {"q": "jane@example.com"},
        {"q": "\x0b jane@example.com"},
        {"kind": "jane@example.com"},
        {"days": "jane@example.com"},
        {"q": ["jane@example.com", ""]},
    ],
)
def test_the_log_of_looks_repeats_nothing_typed(asked: dict[str, Any], browser: Client) -> None:
    event()

    browser.get("/admin/audit/auditevent/", asked)

    assert "jane@" not in "".join(AuditEvent.objects.values_list("body", flat=True))


@pytest.mark.parametrize(
    "asked",
    [
        {"tab": "jane@example.com"},
        {"status__exact": ["ready", "jane@example.com"]},
        {"guest_id": "jane@example.com"},
        {"like": "jane@example.com"},
        {"e": "jane@example.com"},
        {"jane@example.com": "1"},
    ],
)
def test_the_log_of_exports_repeats_nothing_typed(asked: dict[str, Any], browser: Client) -> None:
    status(browser.get("/admin/provisioning/guestcreation/export/", asked))

    assert "jane@" not in "".join(AuditEvent.objects.values_list("body", flat=True))


def test_the_log_of_exports_names_the_filters(browser: Client) -> None:
    wanted = {"tab": "stated", "status__exact": "ready", "days": "7"}

    status(browser.get("/admin/provisioning/guestcreation/export/", wanted))

    assert recorded("creations.exported") == wanted
