"""`gdpr/requests`: each look moves a request a state on; at the end the contact is gone."""

from typing import Any

import pytest

from tests.sandbox.messenger.calls import ask, contact, enrich, get, look_up
from tests.sandbox.platform_calls import Reply
from tests.support.sandbox import Sandbox

GDPR = "/api/v2/gdpr/requests"


def erase(sandbox: Sandbox, query: str = "?deleteConfirmed=true", **subject: Any) -> Reply:
    return ask(sandbox, GDPR + query, {"requestType": "GDPR_DELETE", "subject": subject})


def poll(sandbox: Sandbox, reply: Reply) -> str:
    return str(get(sandbox, f"{GDPR}/{reply.json['id']}").json["status"])


def test_moves_a_state_on_at_each_look_and_erases_at_the_last(messenger: Sandbox) -> None:
    made = enrich(messenger).json
    asked = erase(messenger, externalContactId=made["id"])

    states = [poll(messenger, asked) for _ in range(3)]
    still_there = contact(messenger, made["id"]).status
    states += [poll(messenger, asked) for _ in range(2)]

    assert (asked.status, asked.json["status"]) == (202, "INITIATED")
    assert states == ["SEARCHING", "DELETING", "FINALIZING", "COMPLETED", "COMPLETED"]
    assert still_there == 200
    assert contact(messenger, made["id"]).status == look_up(messenger).status == 404


def test_ends_in_an_error_where_a_script_says_so_and_can_be_asked_again(
    messenger: Sandbox,
) -> None:
    made = enrich(messenger).json
    fault = {"endpoint": "gdpr_status", "call": 1, "kind": "alter", "set": {"status": "ERROR"}}
    messenger.faults([fault])

    failed = poll(messenger, erase(messenger, externalContactId=made["id"]))
    again = erase(messenger, externalContactId=made["id"])

    assert failed == "ERROR"
    assert contact(messenger, made["id"]).status == 200
    assert [poll(messenger, again) for _ in range(4)][-1] == "COMPLETED"


def test_takes_the_cookie_of_a_journey(messenger: Sandbox) -> None:
    asked = erase(messenger, journeyCustomer={"type": "cookie", "id": "a-token"})

    assert asked.status == 202
    assert [poll(messenger, asked) for _ in range(4)][-1] == "COMPLETED"


@pytest.mark.parametrize(
    ("query", "change", "status"),
    [
        ("", {}, 400),
        ("?deleteConfirmed=false", {}, 400),
        ("?deleteConfirmed=true", {"requestType": "GDPR_GUESS"}, 400),
        ("?deleteConfirmed=true", {"subject": {}}, 400),
        ("?deleteConfirmed=true", {"subject": {"externalContactId": 7}}, 400),
        ("?deleteConfirmed=true", {"subject": {"externalContactId": "x", "userId": "y"}}, 400),
        ("?deleteConfirmed=true", {}, 404),
    ],
)
def test_refuses_what_is_unconfirmed_or_names_nobody(
    messenger: Sandbox, query: str, change: dict[str, Any], status: int
) -> None:
    body = {"requestType": "GDPR_DELETE", "subject": {"externalContactId": "nobody"}, **change}

    reply = ask(messenger, GDPR + query, body)

    assert reply.status == status


def test_answers_404_for_a_request_it_does_not_know(messenger: Sandbox) -> None:
    assert get(messenger, f"{GDPR}/x").status == 404
