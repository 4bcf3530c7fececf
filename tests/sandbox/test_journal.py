"""The sandbox tells what it saw, and no secret of it."""

import json

from tests.sandbox.platform_calls import (
    GUEST,
    GUESTS,
    ask_token,
    basic,
    bearer,
    call,
    make_guest,
)
from tests.support.sandbox import Sandbox


def test_lists_what_it_saw_in_order_with_the_guest_it_made(sandbox: Sandbox) -> None:
    guest_id = make_guest(sandbox).json["id"]

    token_call, guest_call = sandbox.calls()

    assert (token_call["number"], guest_call["number"]) == (1, 2)
    assert (guest_call["endpoint"], guest_call["method"]) == ("guests", "POST")
    assert (guest_call["path"], guest_call["status"]) == (GUESTS, 201)
    assert guest_call["body"] == GUEST
    assert guest_call["guestId"] == guest_id
    assert sandbox.calls(since=1) == [guest_call]


def test_lists_no_secret_and_no_token(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    make_guest(sandbox, authorization)
    ask_token(sandbox, {"grant_type": "client_credentials"}, Authorization=basic("i", "a-secret"))

    listed = json.dumps(sandbox.calls())

    assert authorization.partition(" ")[2] not in listed
    assert "a-secret" not in listed
    assert basic("i", "a-secret").partition(" ")[2] not in listed
    assert sandbox.calls()[1]["headers"]["authorization"].startswith("Bearer sha256:")


def test_counts_calls_by_endpoint_and_status(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    make_guest(sandbox, authorization)
    make_guest(sandbox, authorization, email="nonsense")

    stats = sandbox.stats()

    assert stats["calls"] == {"oauth": {"200": 1}, "guests": {"201": 1, "400": 1}}
    assert (stats["total"], stats["guestsCreated"]) == (3, 1)


def test_forgets_calls_guests_and_faults_on_reset_but_keeps_tokens_good(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    guest_id = make_guest(sandbox, authorization).json["id"]
    sandbox.faults([{"kind": "status", "status": 500}])

    sandbox.reset()

    path = f"{GUESTS}/{guest_id}/tokens"
    assert sandbox.calls() == []
    assert call(sandbox, path, {}, Authorization=authorization).status == 404
    assert make_guest(sandbox, authorization).status == 201
