"""The contract's roles as a matrix: who may do what to which model, superusers included."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory

from audit.models import AuditEvent, AuditSeal
from crm.models import AttributeMapping, CrmRecord
from provisioning.models import GuestCreation, Notice
from tests.factories import signed_in, staff

pytestmark = pytest.mark.django_db

REVIEWER, CRM, AUDITOR, SUPERUSER = "Compliance reviewer", "CRM administrator", "Auditor", ""
ACTIONS = ("view", "add", "change", "delete")
# model -> role -> what it may do, by first letters
MATRIX = {
    GuestCreation: {REVIEWER: "v", CRM: "", AUDITOR: "", SUPERUSER: "v"},
    Notice: {REVIEWER: "v", CRM: "", AUDITOR: "", SUPERUSER: "v"},
    AuditEvent: {REVIEWER: "v", CRM: "", AUDITOR: "v", SUPERUSER: "v"},
    AuditSeal: {REVIEWER: "v", CRM: "", AUDITOR: "v", SUPERUSER: "v"},
    CrmRecord: {REVIEWER: "", CRM: "vacd", AUDITOR: "", SUPERUSER: "vacd"},
    AttributeMapping: {REVIEWER: "", CRM: "vacd", AUDITOR: "", SUPERUSER: "vacd"},
    User: {REVIEWER: "", CRM: "", AUDITOR: "", SUPERUSER: "vacd"},
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
    "/admin/": {REVIEWER, CRM, AUDITOR, SUPERUSER},
}


@pytest.mark.parametrize("role", [REVIEWER, CRM, AUDITOR, SUPERUSER])
@pytest.mark.parametrize("model", MATRIX, ids=lambda model: model.__name__)
def test_allows_a_role_exactly_its_actions(model, role):
    request = RequestFactory().get("/admin/")
    request.user = staff(role)
    own = admin.site.get_model_admin(model)

    allowed = [verb for verb in ACTIONS if getattr(own, f"has_{verb}_permission")(request)]

    assert "".join(verb[0] for verb in allowed) == MATRIX[model][role]


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
