"""The contract's roles as a matrix: who may do what to which model, superusers included."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import RequestFactory
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.models import AuditEvent, AuditSeal
from crm.models import ApiToken, AttributeMapping, CrmRecord
from provisioning.models import GuestCreation, LegalHold, Notice, NoticeDraft, PlatformDeletion
from tests.support.factories import signed_in, staff

pytestmark = pytest.mark.django_db

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
    ApiToken: {SUPERUSER: "vd"},
    User: {SUPERUSER: "vacd"},
    Group: {SUPERUSER: "vacd"},
    TOTPDevice: {SUPERUSER: "vacd"},
}
PAGES = {
    "/admin/provisioning/guestcreation/": {REVIEWER, SUPERUSER},
    "/admin/provisioning/guestcreation/export/": {REVIEWER, SUPERUSER},
    "/admin/crm/crmrecord/": {CRM, SUPERUSER},
    "/admin/crm/crmrecord/import/": {CRM, SUPERUSER},
    "/admin/crm/crmrecord/export/": {CRM, SUPERUSER},
    "/admin/crm/attributemapping/sets/": {CRM, SUPERUSER},
    "/admin/mapping-preview/": {CRM, SUPERUSER},
    "/admin/audit/auditevent/": {REVIEWER, AUDITOR, SUPERUSER},
    "/admin/audit/auditevent/verify/": {AUDITOR, SUPERUSER},
    "/admin/audit/auditevent/export/": {REVIEWER, AUDITOR, SUPERUSER},
    "/admin/audit/auditevent/keys/": {REVIEWER, AUDITOR, SUPERUSER},
    "/admin/": {REVIEWER, CRM, AUDITOR, SUPERUSER},
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
@pytest.mark.parametrize("path", PAGES)
def test_opens_a_page_exactly_to_those_whom_it_is_for(path, role):
    status = signed_in(role).get(path).status_code

    assert status == (200 if role in PAGES[path] else 403)


def test_shows_an_administrator_of_the_crm_nothing_of_the_visitors_consent():
    page = signed_in(CRM).get("/admin/").content.decode()

    assert "Review queue" not in page
    assert "Audit log" not in page


def test_sends_strangers_to_the_sign_in(client):
    for path in PAGES:
        assert client.get(path).headers["Location"].startswith("/admin/login/")
