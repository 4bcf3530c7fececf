"""`contacts/enrich`: one contact for each external id, and what comes of its fields."""

from typing import Any

import pytest

from tests.sandbox.messenger.calls import (
    ENRICH,
    SCHEMA,
    SOURCE,
    ask,
    contact,
    enrich,
    enrichment,
    identifier,
    look_up,
)
from tests.support.sandbox import Sandbox


def test_makes_one_contact_for_each_external_id(messenger: Sandbox) -> None:
    first, again, other = enrich(messenger), enrich(messenger), enrich(messenger, "P2")

    assert (first.status, again.status, other.status) == (201, 200, 201)
    assert first.json["id"] == again.json["id"] != other.json["id"]
    assert first.json["customFields"] == {"consent_given_checkbox": True, "tier_text": "Enterprise"}
    assert messenger.stats()["guestsCreated"] == 2
    assert messenger.calls(endpoint="enrich")[0]["guestId"] == first.json["id"]


def test_finds_a_contact_by_its_external_id_and_by_its_id(messenger: Sandbox) -> None:
    made = enrich(messenger).json

    found, got, unknown = (
        look_up(messenger),
        contact(messenger, made["id"]),
        look_up(messenger, "x"),
    )

    assert (found.status, got.status) == (200, 200)
    assert found.json == got.json == made
    assert (unknown.status, unknown.json["entityName"]) == (404, "contact")


def test_shows_in_a_dry_run_what_would_be_and_keeps_nothing(messenger: Sandbox) -> None:
    tried = ask(messenger, f"{ENRICH}?dryRun=true", enrichment())

    assert (tried.status, tried.json["firstName"]) == (200, "Jane")
    assert "id" not in tried.json
    assert look_up(messenger).status == 404
    assert messenger.calls(endpoint="enrich")[0]["query"] == "dryRun=true"
    assert messenger.stats()["guestsCreated"] == 0


def test_does_what_it_was_asked_though_the_answer_is_lost(messenger: Sandbox) -> None:
    messenger.faults([{"endpoint": "enrich", "call": 1, "kind": "reset", "process": True}])
    with pytest.raises(ConnectionResetError):
        enrich(messenger)

    found, again = look_up(messenger), enrich(messenger)

    assert (found.status, again.status) == (200, 200)
    assert found.json["id"] == again.json["id"]


def test_update_changes_what_is_there_and_makes_nothing(messenger: Sandbox) -> None:
    update = {**enrichment(customFields={"consent_given_checkbox": False}), "action": "Update"}

    nobody = ask(messenger, ENRICH, update)
    enrich(messenger)
    changed = ask(messenger, ENRICH, update)

    assert (nobody.status, changed.status) == (404, 200)
    assert changed.json["customFields"] == {
        "consent_given_checkbox": False,
        "tier_text": "Enterprise",
    }


def test_insert_never_takes_an_external_id_from_another(messenger: Sandbox) -> None:
    enrich(messenger)

    refused = ask(messenger, ENRICH, {**enrichment(), "action": "Insert"})

    assert (refused.status, refused.json["status"]) == (409, 409)


def test_an_address_is_an_identity_too(messenger: Sandbox) -> None:
    made = enrich(messenger, personalEmail="Jane@example.com").json
    by_address = {
        **enrichment("P2"),
        "matchingIdentifiers": [{"type": "Email", "value": "JANE@EXAMPLE.COM"}],
    }

    changed = ask(messenger, ENRICH, by_address)

    assert (changed.status, changed.json["id"]) == (200, made["id"])
    assert look_up(messenger, "P2").json["id"] == look_up(messenger, "P1").json["id"] == made["id"]


def test_a_cookie_is_claimed_by_being_looked_for(messenger: Sandbox) -> None:
    cookie = {"type": "Cookie", "value": "a-token"}
    body = {**enrichment(), "matchingIdentifiers": [identifier(), cookie]}

    made = ask(messenger, ENRICH, body).json
    enrich(messenger)
    found = ask(messenger, "/api/v2/externalcontacts/identifierlookup/contacts", cookie)

    assert found.json["id"] == made["id"]


@pytest.mark.parametrize(
    ("rules", "name", "title"),
    [
        ({}, "New", "Dr"),
        ({"defaultAction": "PreferProvided"}, "New", "Dr"),
        ({"defaultAction": "PreferExisting"}, "Old", "Dr"),
        ({"defaultAction": "AlwaysUseProvided"}, "New", None),
        ({"rules": [{"field": "$.firstName", "action": "PreferExisting"}]}, "Old", "Dr"),
    ],
)
def test_combines_fields_by_the_rules(
    messenger: Sandbox, rules: dict[str, Any], name: str, title: str | None
) -> None:
    enrich(messenger, firstName="Old", title="Dr")

    body = {**enrichment(firstName="New"), "fieldRules": rules}
    changed = ask(messenger, ENRICH, body).json

    assert (changed["firstName"], changed.get("title")) == (name, title)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"matchingIdentifiers": []}, "matchingIdentifiers"),
        ({"matchingIdentifiers": [identifier()] * 26}, "matchingIdentifiers"),
        ({"matchingIdentifiers": [7]}, "matchingIdentifiers[0].type"),
        ({"matchingIdentifiers": [{"type": "Nick", "value": "x"}]}, "matchingIdentifiers[0].type"),
        (
            {"matchingIdentifiers": [{"type": "Email", "value": "x" * 256}]},
            "matchingIdentifiers[0].value",
        ),
        (
            {"matchingIdentifiers": [{**identifier(), "externalSource": {"id": "x"}}]},
            "matchingIdentifiers[0].externalSource.id",
        ),
        ({"action": None}, "action"),
        ({"action": ["Upsert"]}, "action"),
        ({"contact": None}, "contact"),
        ({"fieldRules": {"defaultAction": "Guess"}}, "fieldRules"),
        ({"fieldRules": {"rules": [7]}}, "fieldRules"),
        ({"options": "promote"}, "options"),
    ],
)
def test_refuses_an_enrich_with_a_wrong_field_and_names_it(
    messenger: Sandbox, change: dict[str, Any], field: str
) -> None:
    reply = ask(messenger, ENRICH, {**enrichment(), **change})

    assert (reply.status, reply.json["code"]) == (400, "bad.request")
    assert [detail["fieldName"] for detail in reply.json["details"]] == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"firstName": "x" * 1001}, "firstName"),
        ({"personalEmail": "jane"}, "personalEmail"),
        ({"personalEmail": f"{'j' * 250}@example.com"}, "personalEmail"),
        (
            {"externalIds": [{"externalSource": SOURCE, "value": str(n)} for n in range(11)]},
            "externalIds",
        ),
        ({"externalIds": [{"externalSource": {"id": []}, "value": "x"}]}, "externalIds"),
        ({"workPhone": {"e164": []}}, "workPhone"),
        ({"type": "Guess"}, "type"),
        ({"schema": {**SCHEMA, "version": 2}}, "schema"),
        ({"schema": {"id": "x", "version": 1}}, "schema"),
        ({"schema": None}, "schema"),
        ({"customFields": {"shoe_size_integer": 43}}, "customFields.shoe_size_integer"),
        (
            {"customFields": {"consent_given_checkbox": "true"}},
            "customFields.consent_given_checkbox",
        ),
        ({"customFields": {"tickets_integer": 1.5}}, "customFields.tickets_integer"),
    ],
)
def test_refuses_a_contact_with_a_wrong_field_and_names_it(
    messenger: Sandbox, change: dict[str, Any], field: str
) -> None:
    reply = enrich(messenger, **change)

    assert reply.status == 400
    assert [detail["fieldName"] for detail in reply.json["details"]] == [f"contact.{field}"]
    assert look_up(messenger).status == 404
