"""Contacts are merged and deleted; look-ups lead to what is left."""

from typing import Any

import pytest

from tests.sandbox.messenger.calls import EXTERNAL, ask, contact, enrich, enrichment, look_up
from tests.sandbox.messenger.calls import identifier as named
from tests.sandbox.platform_calls import Reply
from tests.support.sandbox import Sandbox


def merge(sandbox: Sandbox, *ids: str, **override: Any) -> Reply:
    body = {"contactIds": ids, "valueOverride": override}
    return ask(sandbox, f"{EXTERNAL}/contacts/merge", body)


def test_makes_a_new_contact_that_both_ids_lead_to(messenger: Sandbox) -> None:
    first = enrich(messenger, "P1", firstName="Jane").json
    second = enrich(messenger, "P2", firstName="J.", lastName="Doe").json

    merged = merge(messenger, first["id"], second["id"], title="Dr").json

    assert (merged["firstName"], merged["lastName"], merged["title"]) == ("Jane", "Doe", "Dr")
    assert merged["id"] not in (first["id"], second["id"])
    assert (
        look_up(messenger, "P1").json["id"] == look_up(messenger, "P2").json["id"] == merged["id"]
    )
    assert enrich(messenger, "P1").json["id"] == merged["id"]


def test_a_merged_contact_stays_and_names_the_canonical_one(messenger: Sandbox) -> None:
    ids = [enrich(messenger, value).json["id"] for value in ("P1", "P2")]
    merged = merge(messenger, *ids).json

    old = contact(messenger, ids[0]).json

    assert old["canonicalContact"]["id"] == merged["id"]
    assert [one["id"] for one in old["mergeSet"]] == [*ids, merged["id"]]


def test_a_contact_merged_before_stands_for_its_canonical_one(messenger: Sandbox) -> None:
    ids = [enrich(messenger, value).json["id"] for value in ("P1", "P2", "P3")]
    merge(messenger, *ids[:2])

    alone, whole = merge(messenger, *ids[:2]), merge(messenger, ids[0], ids[2])

    assert (alone.status, whole.status) == (400, 200)
    assert len(whole.json["mergeSet"]) == 5
    assert {look_up(messenger, value).json["id"] for value in ("P1", "P2", "P3")} == {
        whole.json["id"]
    }


def test_an_enrich_merges_what_it_finds_where_it_is_asked_to(messenger: Sandbox) -> None:
    ids = [enrich(messenger, value).json["id"] for value in ("P1", "P2")]
    body = {**enrichment(), "matchingIdentifiers": [named("P1"), named("P2")], "action": "Merge"}

    merged = ask(messenger, f"{EXTERNAL}/contacts/enrich", body)

    assert merged.status == 200
    assert merged.json["id"] not in ids
    assert look_up(messenger, "P2").json["id"] == merged.json["id"]


@pytest.mark.parametrize(("ids", "status"), [([], 400), (["x", "y"], 404), ([7], 400), (None, 400)])
def test_refuses_a_merge_of_less_than_two_known_contacts(
    messenger: Sandbox, ids: Any, status: int
) -> None:
    reply = ask(messenger, f"{EXTERNAL}/contacts/merge", {"contactIds": ids})

    assert reply.status == status


def test_a_deleted_contact_is_unknown_by_id_and_identifier(messenger: Sandbox) -> None:
    made = enrich(messenger).json

    deleted, again = (contact(messenger, made["id"], method="DELETE") for _ in range(2))

    assert (deleted.status, deleted.json, again.status) == (200, {}, 404)
    assert contact(messenger, made["id"]).status == look_up(messenger).status == 404
    assert enrich(messenger).json["id"] != made["id"]
