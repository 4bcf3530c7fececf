"""Mappings: see what would be sent before saving; take any recorded set back."""

import json

import pytest

from audit.models import AuditEvent
from crm.models import AttributeMapping
from tests.support.confirming import confirm
from tests.support.factories import crm_record, signed_in

pytestmark = pytest.mark.django_db

PREVIEW, SETS = "/admin/mapping-preview/", "/admin/crm/attributemapping/sets/"
LOYALTY = {
    "target": "loyalty",
    "source_kind": "field",
    "source": "tier",
    "value_type": "text",
    "default": "",
    "enabled": "on",
    "order": "9",
}


@pytest.fixture
def administrator():
    return signed_in("CRM administrator")


def _payload(answer):
    return json.loads(answer.context_data["payload"])


def _change(browser, **fields):
    mapping = AttributeMapping.objects.get(target="crmTier")
    values = {name: getattr(mapping, name) for name in LOYALTY} | fields
    address = f"/admin/crm/attributemapping/{mapping.pk}/change/"
    browser.post(address, {name: value for name, value in values.items() if value})


def _set():
    return list(AttributeMapping.objects.values_list("target", "source", "enabled"))


def test_previews_the_exact_payload_before_saving(administrator):
    crm_record("jane")

    answer = administrator.post(PREVIEW, LOYALTY | {"preview_visitor": "jane"})

    assert _payload(answer)["attributes"] == {
        "crmTier": "Enterprise",
        "historicalTickets": 12,
        "integrationSource": "guestportal-v1",
        "loyalty": "Enterprise",
    }
    assert not AttributeMapping.objects.filter(target="loyalty").exists()


def test_previews_for_a_visitor_nobody_knows(administrator):
    assert _payload(administrator.post(PREVIEW, LOYALTY))["attributes"]["loyalty"] == "Unknown"


def test_puts_the_edited_mapping_in_the_place_of_the_stored_one(administrator):
    stored = AttributeMapping.objects.get(target="crmTier")

    answer = administrator.post(PREVIEW, LOYALTY | {"preview_mapping": stored.pk})

    assert "crmTier" not in _payload(answer)["attributes"]


def test_says_why_a_mapping_would_not_be_saved(administrator):
    answer = administrator.post(PREVIEW, LOYALTY | {"target": "not a name"})

    assert "would not be saved" in answer.content.decode()


def test_records_whose_values_a_preview_showed(administrator):
    crm_record("jane")

    administrator.post(PREVIEW, {"preview_visitor": "jane"})

    assert AuditEvent.objects.filter(kind="personal_data.revealed").count() == 1


def test_records_the_whole_set_before_and_after(administrator):
    _change(administrator, enabled="")

    data = json.loads(AuditEvent.objects.get(kind="mapping.changed").body)["data"]
    assert [len(data["before"]), len(data["after"])] == [3, 3]
    assert data["before"] != data["after"]


@pytest.mark.parametrize("side", ["before", "after"])
def test_restores_a_recorded_set(administrator, side):
    sets = {"before": _set()}
    _change(administrator, source="email")
    sets["after"] = _set()
    AttributeMapping.objects.first().delete()
    event = AuditEvent.objects.get(kind="mapping.changed")

    form = {"event": str(event.pk), "side": side}
    assert administrator.post(SETS, form).status_code == 200
    assert _set() != sets[side]
    confirm(administrator, SETS, form)

    assert _set() == sets[side]


def test_shows_before_a_restore_what_differs_and_what_a_sample_is_sent(administrator):
    crm_record("jane")
    _change(administrator, source="previous_tickets", value_type="integer")
    event = AuditEvent.objects.get(kind="mapping.changed")

    page = administrator.post(SETS, {"event": str(event.pk), "side": "before"})

    shown = page.context_data["question"].more
    now, then = (json.loads(each["payload"]) for _, each in shown["samples"])
    assert (now["attributes"]["crmTier"], then["attributes"]["crmTier"]) == (12, "Enterprise")
    assert "jane.doe@example.com" not in page.content.decode()
    assert [row["source"] for row in shown["goes"]] == ["previous_tickets"]
    assert [row["source"] for row in shown["comes"]] == ["tier"]


def test_marks_the_set_in_force_and_offers_no_restore_of_it(administrator):
    _change(administrator, source="email")

    page = administrator.get(SETS).content.decode()

    assert page.count("in force</span>") == 1
    assert "Restore the set before this change" in page
    assert "Restore the set after it" not in page


def test_records_a_restore_like_any_other_change(administrator):
    _change(administrator, source="email")
    event = AuditEvent.objects.get(kind="mapping.changed")

    confirm(administrator, SETS, {"event": str(event.pk), "side": "before"})

    assert AuditEvent.objects.filter(kind="mapping.changed").count() == 2


def test_restores_nothing_from_an_event_of_another_kind(administrator):
    event = AuditEvent.objects.exclude(kind="mapping.changed").first()

    assert administrator.post(SETS, {"event": str(event.pk), "side": "after"}).status_code == 404
