"""An init where GENESYS_PLATFORM is `messenger`."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from jsonschema import validate

from crm.sessions import hash_session
from provisioning.models import GuestCreation
from tests.support.messenger import DEPLOYMENT_ID, SCHEMA_ID, SOURCE_ID
from tests.support.visitor import SESSION, Visitor, known_to_the_crm, latest


def enriched(visitor: Visitor) -> list[dict[str, Any]]:
    return [call["body"] for call in visitor.sandbox.calls(endpoint="enrich")]


def test_makes_a_contact_of_a_visitor_who_consented(messenger: Visitor) -> None:
    known_to_the_crm()

    answer = messenger.init(consentGiven=True)

    assert answer.status_code == 200
    body = enriched(messenger)[0]
    assert body["action"] == "Upsert"
    assert body["contact"]["firstName"] == "Janette"
    assert body["contact"]["personalEmail"] == "jane.doe@example.com"
    assert body["contact"]["schema"] == {"id": SCHEMA_ID, "version": 1}
    assert body["contact"]["customFields"] == {
        "tier_text": "Platinum-Tier",
        "previous_tickets_integer": 4711,
        "integration_source_text": "guestportal-v1",
        "consent_given_checkbox": True,
        "consent_type_text": "explicit",
    }
    row = latest()
    assert (row.status, row.platform, row.guest_id) == (
        "ready",
        "messenger",
        answer.json()["guestId"],
    )
    assert (row.echo_consent_given, row.echo_mismatch) == (True, False)


def test_finds_the_contact_by_an_id_that_is_not_the_session_s(messenger: Visitor) -> None:
    messenger.init(consentGiven=True)

    (wanted,) = enriched(messenger)[0]["matchingIdentifiers"]
    assert wanted["type"] == "ExternalId"
    assert wanted["externalSource"] == {"id": SOURCE_ID}
    assert wanted["value"] not in (SESSION, hash_session(session_id=SESSION))
    assert hash_session(session_id=SESSION)[:8] not in json.dumps(enriched(messenger))


def test_sends_no_made_up_name_and_address(messenger: Visitor) -> None:
    messenger.init(consentGiven=True)

    contact = enriched(messenger)[0]["contact"]
    assert not {"firstName", "personalEmail"} & set(contact)


def test_has_one_contact_and_one_conversation_a_session(messenger: Visitor) -> None:
    first, second, other = (
        messenger.init(session, consentGiven=True).json()
        for session in (SESSION, SESSION, "another-session")
    )

    assert first["guestId"] == second["guestId"] != other["guestId"]
    assert first["accessToken"] == second["accessToken"] != other["accessToken"]
    assert UUID(first["accessToken"]).version == 4
    assert GuestCreation.objects.count() == 3


def test_calls_nobody_for_a_visitor_who_declined(messenger: Visitor) -> None:
    known_to_the_crm()

    answer = messenger.init(consentGiven=False)

    assert messenger.sandbox.calls() == []
    assert answer.json()["guestId"].startswith("anon-")
    assert "Janette" not in answer.content.decode()
    row = latest()
    assert (row.status, row.consent_given, row.sent_fields) == ("ready", False, [])


def test_tells_the_page_which_deployment_to_open(messenger: Visitor) -> None:
    answer = messenger.init(consentGiven=True).json()

    assert list(answer) == [
        *("guestId", "accessToken", "expiresAt", "crmAttributes", "platform", "messenger")
    ]
    assert answer["platform"] == "messenger"
    assert answer["messenger"] == {
        "deploymentId": DEPLOYMENT_ID,
        "environment": "prod-example",
        "socketUrl": "wss://webmessaging.mypurecloud.example/v1?deploymentId=" + DEPLOYMENT_ID,
        "customAttributes": {
            "guestportal_guest_id": answer["guestId"],
            "guestportal_consent": "given",
        },
    }


def test_answers_as_openapi_describes_it(messenger: Visitor, client: Client) -> None:
    described = dict(client.get("/api/schema").json())
    answer = messenger.init(consentGiven=True).json()

    for name, body in {
        "InitAnswer": answer,
        "TokenAnswer": messenger.token(answer["guestId"]).json(),
    }.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        validate(body, schema)
        fields = described["components"]["schemas"][name]
        assert set(fields["properties"]) == set(body)
        assert not {"platform", "messenger"} & set(fields["required"])


def test_shows_the_page_no_value_of_the_crm_that_the_contract_does_not(messenger: Visitor) -> None:
    known_to_the_crm(tier="Platinum-Tier")

    answer = messenger.init(consentGiven=True).json()

    assert "Platinum-Tier" not in json.dumps(answer["messenger"])


def test_gives_another_token_once_consent_was_taken_back_and_given_again(
    messenger: Visitor,
) -> None:
    first = messenger.init(consentGiven=True).json()
    messenger.withdraw()

    refused = messenger.token(first["guestId"])
    again = messenger.init(consentGiven=True).json()

    assert refused.status_code == 403
    assert again["guestId"] == first["guestId"]
    assert again["accessToken"] != first["accessToken"]
    assert messenger.token(again["guestId"]).json()["accessToken"] == again["accessToken"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "status", "status": 400}, "failed", "platform_rejected"),
        ({"kind": "status", "status": 404}, "failed", "platform_rejected"),
        ({"kind": "hang"}, "unknown", "platform_timeout"),
        ({"kind": "garbage", "shape": "html"}, "unknown", "platform_protocol"),
    ],
)
def test_leaves_a_row_that_says_what_came_of_it(
    messenger: Visitor, settings: Any, fault: dict[str, Any], status: str, code: str
) -> None:
    settings.GENESYS_DEADLINE = 1.5
    messenger.sandbox.faults([{"endpoint": "enrich", **fault}])

    answer = messenger.init(consentGiven=True)

    assert answer.json()["code"] == code
    assert latest().status == status


def test_asks_again_where_an_answer_was_lost_and_finds_the_same_contact(
    messenger: Visitor,
) -> None:
    messenger.sandbox.faults([{"endpoint": "enrich", "call": 1, "kind": "reset", "process": True}])

    answer = messenger.init(consentGiven=True)

    assert answer.status_code == 200
    assert messenger.sandbox.count("enrich") == 2
    assert latest().status == "ready"


def test_names_the_permission_that_a_403_misses(messenger: Visitor, caplog: Any) -> None:
    body = {
        "code": "missing.any.permissions",
        "message": "You must have at least one of the following permissions assigned: "
        "externalContacts:contact:enrich",
    }
    messenger.sandbox.faults(
        [{"endpoint": "enrich", "kind": "status", "status": 403, "body": body}]
    )

    answer = messenger.init(consentGiven=True)

    assert answer.json()["code"] == "platform_credentials"
    assert latest().platform_code == "externalContacts:contact:enrich"
    assert "permission externalContacts:contact:enrich" in caplog.text
