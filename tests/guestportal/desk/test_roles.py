"""The contract's roles as a matrix: who may do what to which model, superusers included."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.models import AuditEvent, AuditSeal
from backoffice.confirming import AsksToDelete
from crm.models import ApiToken, AttributeMapping, CrmRecord
from crm.sync.tokens import issue_token
from provisioning.models import GuestCreation, LegalHold, Notice, NoticeDraft, PlatformDeletion
from tests.provisioning.consent.test_notices import draft
from tests.support.factories import creation, crm_record, signed_in, staff

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

REVIEWER, CRM, AUDITOR, SUPERUSER = "Compliance reviewer", "CRM administrator", "Auditor", ""
ACTIONS = ("view", "add", "change", "delete")
# model -> role -> what it may do, by first letters; a role that is not named may do nothing
MATRIX: dict[type, dict[str, str]] = {
    GuestCreation: {REVIEWER: "v", SUPERUSER: "v"},
    Notice: {REVIEWER: "v", SUPERUSER: "v"},
    NoticeDraft: {REVIEWER: "vacd", SUPERUSER: "vacd"},
    LegalHold: {REVIEWER: "vad", SUPERUSER: "vad"},
    PlatformDeletion: {REVIEWER: "v", SUPERUSER: "v"},
    AuditEvent: {REVIEWER: "v", AUDITOR: "v", SUPERUSER: "v"},
    AuditSeal: {REVIEWER: "v", AUDITOR: "v", SUPERUSER: "v"},
    CrmRecord: {CRM: "vacd", SUPERUSER: "vacd"},
    AttributeMapping: {CRM: "vacd", SUPERUSER: "vacd"},
    ApiToken: {CRM: "vad", SUPERUSER: "vad"},
    User: {SUPERUSER: "vacd"},
    Group: {SUPERUSER: "vacd"},
    TOTPDevice: {SUPERUSER: "vacd"},
}
PAGES = {
    "/admin/provisioning/guestcreation/": {REVIEWER, SUPERUSER},
    "/admin/provisioning/guestcreation/export/": {REVIEWER, SUPERUSER},
    "/admin/provisioning/guestcreation/?tab=followup": {REVIEWER, SUPERUSER},
    "/admin/provisioning/guestcreation/person/": {REVIEWER, SUPERUSER},
    "/admin/provisioning/notice/": {REVIEWER, SUPERUSER},
    "/admin/provisioning/noticedraft/": {REVIEWER, SUPERUSER},
    "/admin/provisioning/legalhold/": {REVIEWER, SUPERUSER},
    "/admin/provisioning/platformdeletion/": {REVIEWER, SUPERUSER},
    "/admin/crm/apitoken/": {CRM, SUPERUSER},
    "/admin/crm/crmrecord/": {CRM, SUPERUSER},
    "/admin/crm/crmrecord/add/": {CRM, SUPERUSER},
    "/admin/crm/crmrecord/import/": {CRM, SUPERUSER},
    "/admin/crm/crmrecord/export/": {CRM, SUPERUSER},
    "/admin/crm/attributemapping/sets/": {CRM, SUPERUSER},
    "/admin/mapping-preview/": {CRM, SUPERUSER},
    "/admin/audit/auditevent/": {REVIEWER, AUDITOR, SUPERUSER},
    "/admin/audit/auditevent/verify/": {AUDITOR, SUPERUSER},
    "/admin/audit/auditevent/export/": {REVIEWER, AUDITOR, SUPERUSER},
    "/admin/audit/auditevent/keys/": {REVIEWER, AUDITOR, SUPERUSER},
    "/admin/auth/user/": {SUPERUSER},
    "/admin/auth/group/": {SUPERUSER},
    "/admin/otp_totp/totpdevice/": {SUPERUSER},
    "/admin/": {REVIEWER, CRM, AUDITOR, SUPERUSER},
}
# Of one row: who gets the page that asks before something is done to it.
ASKING = {
    "/admin/provisioning/noticedraft/{draft}/delete/": {REVIEWER, SUPERUSER},
    "/admin/provisioning/noticedraft/{draft}/publish/": {REVIEWER, SUPERUSER},
    "/admin/provisioning/legalhold/{hold}/delete/": {REVIEWER, SUPERUSER},
    "/admin/crm/crmrecord/{record}/delete/": {CRM, SUPERUSER},
    "/admin/crm/attributemapping/{mapping}/delete/": {CRM, SUPERUSER},
    "/admin/crm/apitoken/{token}/delete/": {CRM, SUPERUSER},
    "/admin/auth/user/{user}/unlock/": {SUPERUSER},
    "/admin/auth/user/{user}/delete/": {SUPERUSER},
    "/admin/auth/group/{group}/delete/": {SUPERUSER},
    "/admin/otp_totp/totpdevice/{device}/delete/": {SUPERUSER},
}


@pytest.mark.parametrize("role", [REVIEWER, CRM, AUDITOR, SUPERUSER])
@pytest.mark.parametrize("model", MATRIX, ids=lambda model: model.__name__)
def test_allows_a_role_exactly_its_actions(model, role):
    request = RequestFactory().get("/admin/")
    request.user = staff(role)
    own = admin.site.get_model_admin(model)

    allowed = [verb for verb in ACTIONS if getattr(own, f"has_{verb}_permission")(request)]

    assert "".join(verb[0] for verb in allowed) == MATRIX[model].get(role, "")


def test_leaves_no_model_of_the_admin_out_of_the_matrix():
    assert {model for model in apps.get_models() if admin.site.is_registered(model)} == set(MATRIX)


@pytest.mark.parametrize("role", [REVIEWER, CRM, AUDITOR, SUPERUSER])
@pytest.mark.parametrize("step", ["file", "ticket", "errors"])
def test_takes_each_step_of_an_import_exactly_from_those_who_may(step, role):
    sent = SimpleUploadedFile("a.csv", b"x") if step == "file" else "1.unknown"

    status = signed_in(role).post("/admin/crm/crmrecord/import/", {step: sent}).status_code

    assert (status != 403) is (role in PAGES["/admin/crm/crmrecord/import/"])


@pytest.mark.parametrize("role", [REVIEWER, CRM, AUDITOR, SUPERUSER])
@pytest.mark.parametrize("path", PAGES)
def test_opens_a_page_exactly_to_those_whom_it_is_for(path, role):
    status = signed_in(role).get(path).status_code

    assert status == (200 if role in PAGES[path] else 403)


@pytest.mark.parametrize("role", [REVIEWER, CRM, AUDITOR, SUPERUSER])
@pytest.mark.parametrize("path", ASKING)
def test_asks_before_something_is_done_exactly_those_who_may_do_it(path, role):
    clerk = User.objects.create_user("clerk")
    issue_token(user=clerk)
    rows = {
        "draft": draft(),
        "hold": LegalHold.objects.create(session_hash="0", placed_at=timezone.now()),
        "record": crm_record(),
        "mapping": AttributeMapping.objects.first(),
        "token": ApiToken.objects.get(),
        "user": clerk,
        "group": Group.objects.create(name="Clerks"),
        "device": TOTPDevice.objects.create(user=clerk, name="phone"),
    }
    address = path.format(**{name: row.pk for name, row in rows.items()})

    page = signed_in(role).get(address)

    assert page.status_code == (200 if role in ASKING[path] else 403)
    assert ("What will happen" in page.content.decode()) is (role in ASKING[path])


PLACES = {
    REVIEWER: ["Review", "People", "Notices", "Deletions", "Audit"],
    CRM: ["CRM records", "Mappings", "Tokens"],
    AUDITOR: ["Audit"],
}


@pytest.mark.parametrize("role", PLACES)
def test_leads_a_role_to_its_places_and_to_no_others(role):
    browser = signed_in(role)

    page = browser.get("/admin/")

    places = page.context_data["places"]
    assert [place["name"] for place in places] == PLACES[role]
    assert [browser.get(place["url"]).status_code for place in places] == [200] * len(places)
    assert "Everything else" not in page.content.decode()


@pytest.mark.parametrize("role", PLACES)
def test_links_every_list_that_a_role_may_see(role):
    browser = signed_in(role)
    request = RequestFactory().get("/admin/")
    request.user = User.objects.latest("pk")

    page = browser.get("/admin/").content.decode()

    seen = [
        model for model in MATRIX if admin.site.get_model_admin(model).has_view_permission(request)
    ]
    lists = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in seen]
    assert [path for path in lists if f'href="{path}' not in page] == []


@pytest.mark.parametrize("verdict", ["in_order", "follow_up"])
@pytest.mark.parametrize("role", [CRM, AUDITOR])
def test_lets_nobody_else_review(role, verdict):
    row = creation(status="unknown", guest_id="")

    for do in ("review", "next"):
        form = {"do": do, "verdict": verdict, "reason": "Seen"}
        answer = signed_in(role).post(f"/admin/provisioning/guestcreation/{row.pk}/change/", form)
        assert answer.status_code == 403
        User.objects.all().delete()


ACTIONS_ON_A_PERSON = ("withdraw", "hold", "export", "print", "erase")


@pytest.mark.parametrize("do", ACTIONS_ON_A_PERSON)
@pytest.mark.parametrize("role", [REVIEWER, CRM, AUDITOR, SUPERUSER])
def test_acts_on_a_person_exactly_for_those_who_may(role, do):
    creation(session_id="jane")
    browser = signed_in(role)
    found = browser.post("/admin/provisioning/guestcreation/person/", {"term": "jane"})
    page = found.headers.get("Location", "/admin/provisioning/guestcreation/person/none/")

    status = browser.post(page, {"do": do}).status_code

    assert status == (200 if role in (REVIEWER, SUPERUSER) else 403)


DELETE = "delete_selected"
# An action of a list -> whom it is for; none runs straight from the menu.
ASKED_FIRST: dict[tuple[type, str], set[str]] = {
    (GuestCreation, "review_selected"): {REVIEWER, SUPERUSER},
    (NoticeDraft, "publish"): {REVIEWER, SUPERUSER},
    (NoticeDraft, DELETE): {REVIEWER, SUPERUSER},
    (PlatformDeletion, "mark_done"): {REVIEWER, SUPERUSER},
    (LegalHold, DELETE): {REVIEWER, SUPERUSER},
    (CrmRecord, DELETE): {CRM, SUPERUSER},
    (AttributeMapping, DELETE): {CRM, SUPERUSER},
    (ApiToken, DELETE): {CRM, SUPERUSER},
    (User, "unlock_selected"): {SUPERUSER},
    (User, DELETE): {SUPERUSER},
    (Group, DELETE): {SUPERUSER},
    (TOTPDevice, DELETE): {SUPERUSER},
}


@pytest.mark.parametrize("role", [REVIEWER, CRM, AUDITOR, SUPERUSER])
def test_offers_what_cannot_be_undone_exactly_to_those_who_may(role):
    request = RequestFactory().get("/admin/")
    request.user = staff(role)

    offered = {
        (model, action)
        for model in MATRIX
        for action in admin.site.get_model_admin(model).get_actions(request)
    }

    assert offered == {pair for pair, roles in ASKED_FIRST.items() if role in roles}


@pytest.mark.parametrize("model", MATRIX, ids=lambda model: model.__name__)
def test_deletes_nothing_that_is_not_confirmed_on_the_one_page(model):
    own = admin.site.get_model_admin(model)

    assert isinstance(own, AsksToDelete) is ("d" in MATRIX[model].get(SUPERUSER, ""))


def test_shows_an_administrator_of_the_crm_nothing_of_the_visitors_consent():
    page = signed_in(CRM).get("/admin/").content.decode()

    assert "Waiting for you" not in page
    assert "Audit log" not in page


@pytest.mark.parametrize("role", [REVIEWER, CRM, AUDITOR])
def test_warns_of_settings_only_those_who_can_change_them(role, settings):
    settings.CONSENT_MODE = "compat"

    assert "CONSENT_MODE" not in signed_in(role).get("/admin/").content.decode()
    assert "CONSENT_MODE: compat" in signed_in(SUPERUSER).get("/admin/").content.decode()


def test_sends_strangers_to_the_sign_in(client):
    for path in PAGES:
        assert client.get(path).headers["Location"].startswith("/admin/login/")
