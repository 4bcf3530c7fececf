"""External sources, contact schemas, the deployment, and what a client may do with them."""

from typing import Any

import pytest

from tests.sandbox.messenger.calls import (
    DEPLOYMENT_ID,
    EXTERNAL,
    OPTIONS,
    SCHEMA,
    SOURCE,
    ask,
    enrich,
    get,
)
from tests.sandbox.platform_calls import basic, call
from tests.support.sandbox import Sandbox, running_sandbox

SOURCES = f"{EXTERNAL}/externalsources"
SCHEMAS = f"{EXTERNAL}/contacts/schemas"
DEPLOYMENTS = "/api/v2/webdeployments/deployments"
TIER = {"allOf": [{"$ref": "#/definitions/text"}], "title": "Tier"}


def schema(name: str = "A schema", **properties: Any) -> dict[str, Any]:
    return {"name": name, "jsonSchema": {"properties": properties or {"tier_text": TIER}}}


def test_an_organisation_has_nothing_unless_told(sandbox: Sandbox) -> None:
    assert get(sandbox, SOURCES).json["entities"] == []
    assert get(sandbox, SCHEMAS).json["entities"] == []
    assert get(sandbox, f"{DEPLOYMENTS}/{DEPLOYMENT_ID}").status == 404


def test_has_from_the_start_what_it_is_told(messenger: Sandbox) -> None:
    found = get(messenger, f"{SCHEMAS}/{SCHEMA['id']}").json

    assert get(messenger, f"{SOURCES}/{SOURCE['id']}").json["active"] is True
    assert get(messenger, f"{DEPLOYMENTS}/{DEPLOYMENT_ID}").json["status"] == "Active"
    assert [*found["jsonSchema"]["properties"]][1:] == ["tier_text", "tickets_integer"]


def test_makes_a_source_and_finds_it_by_name(messenger: Sandbox) -> None:
    made = ask(messenger, SOURCES, {"name": " CRM "})
    again = ask(messenger, SOURCES, {"name": "CRM"})

    assert (made.status, again.status) == (200, 409)
    assert get(messenger, f"{SOURCES}?name=CRM").json["entities"] == [made.json]
    assert get(messenger, f"{SOURCES}/{made.json['id']}").json == made.json
    assert get(messenger, f"{SOURCES}/x").status == 404


def test_makes_a_schema_whose_every_change_is_a_version(messenger: Sandbox) -> None:
    made = ask(messenger, SCHEMAS, schema())
    path = f"{SCHEMAS}/{made.json['id']}"
    wider = schema(tier_text=TIER, plan_text={**TIER, "title": "Plan"})

    changed = ask(messenger, path, {**wider, "version": 1}, method="PUT")
    stale = ask(messenger, path, {**wider, "version": 1}, method="PUT")

    assert (made.status, changed.json["version"], stale.status) == (200, 2, 409)
    assert get(messenger, path).json == changed.json
    assert get(messenger, f"{path}/versions/1").json == made.json
    assert get(messenger, f"{path}/versions/3").status == 404
    assert ask(messenger, SCHEMAS, schema()).status == 409


def test_takes_no_contact_of_a_schema_that_is_not_in_force(messenger: Sandbox) -> None:
    made = ask(messenger, SCHEMAS, {**schema(), "enabled": False}).json

    reply = enrich(messenger, schema={"id": made["id"], "version": 1}, customFields={})

    assert reply.status == 400


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"appliesTo": ["EXTERNAL_ORGANIZATION"]}, "appliesTo"),
        ({"jsonSchema": 7}, "jsonSchema.properties"),
        (schema(tier=TIER), "jsonSchema.properties.tier"),
        (schema(tier_integer=TIER), "jsonSchema.properties.tier_integer"),
        (schema(tier_text={"type": "string"}), "jsonSchema.properties.tier_text"),
    ],
)
def test_refuses_a_schema_with_a_wrong_field_and_names_it(
    messenger: Sandbox, change: dict[str, Any], field: str
) -> None:
    reply = ask(messenger, SCHEMAS, {**schema(), **change})

    assert reply.status == 400
    assert [detail["fieldName"] for detail in reply.json["details"]] == [field]


def test_a_reset_brings_the_start_back(messenger: Sandbox) -> None:
    ask(messenger, SOURCES, {"name": "CRM"})
    contact_id = enrich(messenger).json["id"]

    messenger.reset()

    assert [one["id"] for one in get(messenger, SOURCES).json["entities"]] == [SOURCE["id"]]
    assert get(messenger, f"{EXTERNAL}/contacts/{contact_id}").status == 404


# --- Access -------------------------------------------------------------------------------------


def test_names_the_permission_that_a_client_lacks() -> None:
    with running_sandbox(*OPTIONS, "--grant-scopes", "externalContacts:contact:view") as sandbox:
        refused = enrich(sandbox)

    assert (refused.status, refused.json["code"]) == (403, "missing.any.permissions")
    assert refused.json["message"].endswith(" assigned: externalContacts:contact:enrich")
    assert refused.json["messageParams"] == {"permissions": "externalContacts:contact:enrich"}


def test_both_platforms_share_one_rate_and_tell_of_it() -> None:
    with running_sandbox(*OPTIONS, "--rate-per-minute", "60") as sandbox:
        replies = [enrich(sandbox) for _ in range(3)]

    assert [reply.status for reply in replies] == [201, 200, 429]
    assert replies[1].headers["inin-ratelimit-count"] == "2"
    assert replies[2].headers["Retry-After"] == "1"


def test_gives_a_token_at_the_login_path_and_refuses_in_the_vendors_words(
    messenger: Sandbox,
) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    grant = b"grant_type=client_credentials"

    given = call(messenger, "/login/oauth/token", grant, Authorization=basic("i", "s"), **form)
    refused = call(messenger, "/login/oauth/token", grant, **form)

    assert given.json["token_type"] == "Bearer"
    assert refused.json["description"] == "client credentials are missing"
