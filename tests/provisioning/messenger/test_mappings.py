"""Attribute mappings in the admin, where the attributes are fields of a contact."""

import json
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client

from crm import profiles
from crm.models import AttributeMapping
from tests.support.factories import signed_in
from tests.support.visitor import SESSION, Visitor, known_to_the_crm

LIST = "/admin/crm/attributemapping/"
PREVIEW, SETS = "/admin/mapping-preview/", f"{LIST}sets/"
SEGMENT = {
    "target": "segment_text",
    "source_kind": "attribute",
    "source": "segment",
    "value_type": "text",
    "default": "",
    "enabled": "on",
    "order": "9",
}


@pytest.fixture
def administrator(messenger: Visitor) -> Client:
    return signed_in("CRM administrator")


def save(browser: Client, **fields: str) -> Any:
    return browser.post(f"{LIST}add/", SEGMENT | fields, follow=True)


def is_stored(target: str = "segment_text") -> bool:
    return AttributeMapping.objects.filter(target=target).exists()


def test_refuses_an_attribute_that_has_no_field(administrator: Client) -> None:
    page = save(administrator).content.decode()

    assert not is_stored()
    assert "Version 1 of the contact schema has no such field." in page
    assert "messenger_setup --apply" in page


@pytest.mark.parametrize(
    "fields",
    [{"target": "crmSegment"}, {"target": "tier_integer", "value_type": "text"}],
    ids=["no field's name", "another type"],
)
def test_refuses_what_can_be_no_field(administrator: Client, fields: dict[str, str]) -> None:
    save(administrator, **fields)

    assert not is_stored(fields["target"])


def test_takes_an_attribute_that_has_a_field(administrator: Client) -> None:
    AttributeMapping.objects.filter(target="tier_text").delete()

    save(administrator, target="tier_text")

    assert is_stored("tier_text")


def test_takes_a_disabled_mapping_and_does_not_let_it_be_enabled(administrator: Client) -> None:
    save(administrator, enabled="")
    mapping = AttributeMapping.objects.get(target="segment_text")

    save_list = _list_with(enabled=mapping)
    page = administrator.post(LIST, save_list).content.decode()

    mapping.refresh_from_db()
    assert not mapping.enabled
    assert "has no such field" in page


def test_lets_others_be_changed_beside_one_that_has_no_field(administrator: Client) -> None:
    AttributeMapping.objects.filter(target="tier_text").update(target="segment_text")
    other = AttributeMapping.objects.get(target="previous_tickets_integer")

    administrator.post(LIST, _list_with(disabled=other))

    other.refresh_from_db()
    assert not other.enabled


def _list_with(
    *, enabled: AttributeMapping | None = None, disabled: AttributeMapping | None = None
) -> dict[str, str]:
    rows = list(AttributeMapping.objects.all())
    form = {
        "form-TOTAL_FORMS": str(len(rows)),
        "form-INITIAL_FORMS": str(len(rows)),
        "_save": "Save",
    }
    for number, row in enumerate(rows):
        form |= {f"form-{number}-id": str(row.pk), f"form-{number}-order": str(row.order)}
        if row == enabled or (row.enabled and row != disabled):
            form[f"form-{number}-enabled"] = "on"
    return form


@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 503}, {"kind": "status", "status": 404}, {"kind": "hang"}],
    ids=lambda fault: str(fault.get("status", fault["kind"])),
)
def test_saves_with_a_warning_where_the_schema_cannot_be_read(
    administrator: Client, messenger: Visitor, settings: Any, fault: dict[str, Any]
) -> None:
    settings.GENESYS_DEADLINE = 1.0
    messenger.sandbox.faults([{"endpoint": "schema", **fault}])

    page = save(administrator).content.decode()

    assert is_stored()
    assert "The platform could not be asked" in page


def test_asks_the_platform_once_a_minute(administrator: Client, messenger: Visitor) -> None:
    for target in ("s_text", "se_text", "seg_text"):
        administrator.post(PREVIEW, SEGMENT | {"target": target})

    assert messenger.sandbox.count("schema") == 1


def test_makes_nobody_who_types_wait_for_a_platform_that_is_down(
    administrator: Client, messenger: Visitor, settings: Any
) -> None:
    settings.GENESYS_MAX_ATTEMPTS = 1
    messenger.sandbox.faults([{"endpoint": "schema", "kind": "status", "status": 503}])

    pages = [
        administrator.post(PREVIEW, SEGMENT | {"target": target}).content.decode()
        for target in ("s_text", "se_text")
    ]

    assert all("could not be asked" in page for page in pages)
    assert messenger.sandbox.count("schema") == 1


def test_restores_no_set_that_the_platform_does_not_take(administrator: Client) -> None:
    mapping = AttributeMapping.objects.get(target="tier_text")
    AttributeMapping.objects.filter(pk=mapping.pk).update(target="crmTier")
    event = _change(administrator, mapping)

    page = administrator.post(SETS, {"event": event, "side": "before"}, follow=True)

    assert "crmTier: No field of a contact can have this name" in page.content.decode()
    assert not is_stored("crmTier")


def _change(browser: Client, mapping: AttributeMapping) -> str:
    """Rename the mapping to tier_text in the admin and return the event's id."""
    form = {name: getattr(mapping, name) for name in SEGMENT} | {"target": "tier_text"}
    browser.post(f"{LIST}{mapping.pk}/change/", {k: v for k, v in form.items() if v})
    page = browser.get(SETS)
    return str(page.context_data["changes"][0]["id"])


def test_previews_the_very_body_that_is_sent(administrator: Client, messenger: Visitor) -> None:
    known_to_the_crm()
    profiles.forget_mappings()

    shown = administrator.post(PREVIEW, {"preview_visitor": SESSION}).context_data["payload"]
    messenger.init(consentGiven=True)

    (call,) = messenger.sandbox.calls(endpoint="enrich")
    assert json.loads(shown) == call["body"]


def test_says_which_attributes_are_left_out(administrator: Client) -> None:
    AttributeMapping.objects.filter(target="tier_text").update(target="crmTier")

    answer = administrator.post(PREVIEW, {})

    assert "crmTier" not in answer.context_data["payload"]
    assert "<strong>crmTier</strong>: No field of a contact" in answer.content.decode()


def test_previews_no_mapping_that_would_not_be_saved(administrator: Client) -> None:
    answer = administrator.post(PREVIEW, SEGMENT)

    assert "would not be saved" in answer.content.decode()
    assert "segment_text" not in answer.context_data["payload"]


def test_a_check_warns_of_a_mapping_that_is_never_sent(messenger: Visitor) -> None:
    AttributeMapping.objects.filter(target="tier_text").update(target="crmTier")

    (warning,) = (found for found in run_checks(databases=["default"]) if "crmTier" in found.msg)

    assert warning.id == "provisioning.W001"


def test_no_check_warns_on_the_guest_api(visitor: Visitor) -> None:
    assert [found for found in run_checks(databases=["default"]) if "mapping" in found.msg] == []


def test_asks_nobody_on_the_guest_api(visitor: Visitor) -> None:
    save(signed_in("CRM administrator"), target="anyName")

    assert is_stored("anyName")
    assert visitor.sandbox.calls() == []


@pytest.mark.parametrize("odd", [{"target": "crmTier"}, {"value_type": "integer"}])
def test_one_odd_mapping_costs_no_visitor_the_chat(messenger: Visitor, odd: dict[str, str]) -> None:
    AttributeMapping.objects.filter(source="guestportal-v1").update(source="7")
    AttributeMapping.objects.filter(source="7").update(**odd)
    profiles.forget_mappings()

    answer = messenger.init(consentGiven=True)

    assert answer.status_code == 200
