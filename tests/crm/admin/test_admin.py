"""CRM records and mappings in the admin."""

import json
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from audit import log
from audit.models import AuditEvent
from crm.models import AttributeMapping, CrmRecord
from crm.sessions import hash_session
from tests.crm.factories import crm_record, plain_hash
from tests.support.confirming import confirm

pytestmark = pytest.mark.django_db

RECORDS = "/admin/crm/crmrecord/"
MAPPINGS = "/admin/crm/attributemapping/"
PARTS = ("name", "value")
PEPPER = "a pepper of thirty-two characters or more"


@pytest.fixture
def editor():
    user = User.objects.create_user("editor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="crm"))
    return user


@pytest.fixture
def browser(editor):
    client = Client()
    client.force_login(editor)
    return client


def record_form(**fields):
    return {
        "email": "jane.doe@example.com",
        "first_name": "Jane",
        "tier": "Gold",
        "previous_tickets": "12",
        "attributes-name": ["", ""],
        "attributes-value": ["", ""],
        **fields,
    }


def rows(*attributes):
    """Further attributes as the form sends them."""
    names, values = zip(*attributes, strict=True)
    return {"attributes-name": list(names), "attributes-value": list(values)}


def mapping_form(**fields):
    return {
        "target": "segment",
        "source_kind": "attribute",
        "source": "segment",
        "value_type": "text",
        "default": "",
        "enabled": "on",
        "order": "5",
        **fields,
    }


def event_data(kind):
    return json.loads(AuditEvent.objects.get(kind=kind).body)["data"]


def targets(mappings):
    return [mapping["target"] for mapping in mappings]


def test_adds_a_record_that_its_session_finds(browser, settings):
    settings.SESSION_HASH_PEPPER = PEPPER

    browser.post(f"{RECORDS}add/", record_form(session_id="session-1"))

    assert CrmRecord.objects.get().session_hash == hash_session(session_id="session-1")
    assert "session_hash" in event_data("crm.changed")["fields"]
    assert "session-1" not in AuditEvent.objects.get(kind="crm.changed").body


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"session_id": ""}, "This field is required."),
        ({"session_id": "x" * 257}, "Ensure this value has at most 256 characters"),
        ({"session_id": "a\tb"}, "Control characters, such as a tab or a line break"),
        ({"session_id": " session-1"}, "It begins or ends with a blank"),
        ({"session_id": "known"}, "This session already has a CRM record."),
        ({"email": "nonsense"}, "This is not an e-mail address."),
        (rows(("", "x")), "Row 1: A name is 1 to 64 characters"),
        (rows(("a", "1"), (" a ", "2")), "Row 2: Another row has the same name."),
        (rows(("a", "x" * 1_001)), "Row 1: This is longer than 1,000 characters."),
        (rows(("a", "x\ty")), "Row 1: Control characters"),
    ],
)
def test_says_what_is_wrong_with_a_record(browser, wrong, sentence):
    crm_record("known")

    page = browser.post(f"{RECORDS}add/", record_form(**{"session_id": "session-1", **wrong}))

    assert sentence in page.content.decode()
    assert CrmRecord.objects.count() == 1


def test_no_further_attributes_are_an_empty_object(browser):
    browser.post(f"{RECORDS}add/", record_form(session_id="session-1"))

    assert CrmRecord.objects.get().attributes == {}


def test_further_attributes_are_rows_of_name_and_value(browser):
    given = rows((" segment ", "retail"), ("", ""), ("zip", "01067"), ("nothing", ""))

    browser.post(f"{RECORDS}add/", record_form(session_id="session-1", **given))

    assert CrmRecord.objects.get().attributes == {"segment": "retail", "zip": "01067"}


def test_an_untouched_form_changes_no_attribute_and_no_type(browser):
    attributes = {"score": 7, "half": 0.5, "vip": True, "zip": "01067", "word": "true"}
    record = crm_record(attributes=attributes)
    page = browser.get(f"{RECORDS}{record.pk}/change/").content.decode()
    shown = [re.findall(rf'name="attributes-{part}" value="([^"]*)"', page) for part in PARTS]

    browser.post(f"{RECORDS}{record.pk}/change/", record_form(**rows(*zip(*shown, strict=True))))

    assert CrmRecord.objects.get().attributes == attributes
    assert event_data("crm.changed") == {"fields": []}


def test_a_changed_row_keeps_its_type_and_an_emptied_one_is_removed(browser):
    record = crm_record(attributes={"score": 7, "segment": "retail"})

    given = rows(("score", "8"), ("segment", ""))
    browser.post(f"{RECORDS}{record.pk}/change/", record_form(**given))

    assert CrmRecord.objects.get().attributes == {"score": 8}
    assert event_data("crm.changed") == {"fields": ["attributes"]}


def test_shows_the_rows_again_that_were_wrong(browser):
    given = rows(("a", "1"), ("a", "2"))

    page = browser.post(f"{RECORDS}add/", record_form(session_id="session-1", **given))

    shown = re.findall(r'name="attributes-value" value="([^"]*)"', page.content.decode())
    assert shown == ["1", "2", "", "", ""]


def test_records_which_fields_an_edit_changed_and_no_value(browser, editor):
    record = crm_record()

    browser.post(f"{RECORDS}{record.pk}/change/", record_form(tier="Silver", first_name="Janet"))

    event = AuditEvent.objects.get(kind="crm.changed")
    assert event_data("crm.changed") == {"fields": ["first_name", "tier"]}
    assert event.subject == log.pseudonym(session_hash=record.session_hash)
    assert event.actor == f"staff:{editor.pk}"
    assert "Janet" not in event.body


def test_an_edit_gives_the_record_a_new_version(browser):
    record = crm_record()

    browser.post(f"{RECORDS}{record.pk}/change/", record_form(tier="Silver"))

    assert CrmRecord.objects.get().version == record.version + 1


def test_an_edit_cannot_move_a_record_to_another_session(browser):
    record = crm_record()
    form = record_form(session_id="another", session_hash=plain_hash("another"))

    browser.post(f"{RECORDS}{record.pk}/change/", form)

    assert CrmRecord.objects.get().session_hash == record.session_hash


def test_deleting_a_record_is_recorded(browser):
    record = crm_record()

    path = f"{RECORDS}{record.pk}/delete/"
    browser.post(path, {"post": "yes"})
    confirm(browser, path, {}, answer="tick")
    assert CrmRecord.objects.exists()
    confirm(browser, path, {}, answer="delete")

    assert not CrmRecord.objects.exists()
    assert AuditEvent.objects.filter(kind="crm.deleted").count() == 1


def test_each_of_several_deleted_records_is_recorded(browser):
    chosen = [crm_record("a").pk, crm_record("b").pk]
    action = {"action": "delete_selected", "_selected_action": chosen}

    assert "To how many: 2" in browser.post(RECORDS, action).content.decode()
    confirm(browser, RECORDS, action, answer="delete")

    assert not CrmRecord.objects.exists()
    assert AuditEvent.objects.filter(kind="crm.deleted").count() == 2


def test_the_list_masks_addresses(browser):
    crm_record(email="jane.doe@example.com")

    page = browser.get(RECORDS).content.decode()

    assert "j…@example.com" in page
    assert "jane.doe" not in page


@pytest.mark.parametrize("held", [plain_hash("b"), plain_hash("b").upper(), "key"])
def test_finds_a_record_by_plain_hash_or_stored_key(browser, settings, held):
    settings.SESSION_HASH_PEPPER = PEPPER
    crm_record("a")
    record = crm_record("b")
    term = hash_session(session_id="b") if held == "key" else held

    answer = browser.post(f"{RECORDS}find/", {"term": term})

    assert answer.headers["Location"] == f"{RECORDS}{record.pk}/change/"


def test_finds_nothing_by_anything_else(browser):
    crm_record()

    page = browser.post(f"{RECORDS}find/", {"term": "jane"}).content.decode()

    assert "Nothing was found for" in page


def test_the_list_never_counts_the_whole_table(browser, django_assert_max_num_queries):
    with django_assert_max_num_queries(10) as queries:
        browser.get(RECORDS)

    counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
    assert counts
    assert all("LIMIT 5000" in count for count in counts)


def test_a_changed_mapping_is_recorded_with_the_whole_set_before_and_after(browser):
    browser.post(f"{MAPPINGS}add/", mapping_form())

    data = event_data("mapping.changed")
    assert targets(data["before"]) == ["crmTier", "historicalTickets", "integrationSource"]
    assert targets(data["after"]) == ["segment", *targets(data["before"])]


def test_a_deleted_mapping_is_recorded(browser):
    tier = AttributeMapping.objects.get(target="crmTier")

    path = f"{MAPPINGS}{tier.pk}/delete/"
    browser.post(path, {"post": "yes"})
    assert AttributeMapping.objects.filter(pk=tier.pk).exists()
    confirm(browser, path, {})

    assert "crmTier" not in targets(event_data("mapping.changed")["after"])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"target": "crmTier"}, "Another mapping already fills this attribute."),
        ({"target": "not a name"}, "A name is 1 to 64 of A-Z"),
        ({"source_kind": "field"}, "A CRM field is one of email"),
        ({"source_kind": "constant", "value_type": "number"}, "This is not of type number."),
    ],
)
def test_says_what_is_wrong_with_a_mapping(browser, wrong, sentence):
    page = browser.post(f"{MAPPINGS}add/", mapping_form(**wrong))

    assert sentence in page.content.decode()
    assert not AuditEvent.objects.filter(kind="mapping.changed").exists()


@pytest.mark.parametrize("page", [RECORDS, f"{RECORDS}add/", MAPPINGS, f"{MAPPINGS}add/"])
def test_staff_without_permission_see_nothing(browser, editor, page):
    editor.user_permissions.clear()

    assert browser.get(page).status_code == 403
