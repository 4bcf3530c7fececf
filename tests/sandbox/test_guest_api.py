"""The sandbox answers as the seed describes the platform."""

import base64
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.ratelimit import RateLimit
from tests.sandbox.platform_calls import (
    FORM,
    GUEST,
    GUESTS,
    ask_token,
    basic,
    bearer,
    call,
    make_guest,
)
from tests.support.sandbox import Sandbox, running_sandbox

# --- Access tokens ------------------------------------------------------------------------------


def test_grants_the_scopes_asked_for_to_credentials_in_the_form(sandbox: Sandbox) -> None:
    reply = ask_token(sandbox, FORM)

    assert reply.status == 200
    assert reply.json["token_type"] == "Bearer"
    assert reply.json["expires_in"] == 3600
    assert reply.json["scope"] == FORM["scope"]


def test_grants_every_scope_to_http_basic_that_asks_for_none(sandbox: Sandbox) -> None:
    reply = ask_token(
        sandbox, {"grant_type": "client_credentials"}, Authorization=basic("an-id", "a:secret")
    )

    assert reply.status == 200
    assert set(FORM["scope"].split()) <= set(reply.json["scope"].split())


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_id": None}, 400, "invalid_client"),
        ({"client_secret": ""}, 400, "invalid_client"),
    ],
)
def test_refuses_a_token_request_that_lacks_something(
    sandbox: Sandbox, change: dict[str, str | None], status: int, code: str
) -> None:
    form = {name: value for name, value in {**FORM, **change}.items() if value is not None}

    reply = ask_token(sandbox, form)

    assert (reply.status, reply.json["error"]) == (status, code)
    assert reply.json["error_description"]


@pytest.mark.parametrize("given", [("other", "a-secret"), ("an-id", "other")])
def test_refuses_other_credentials_than_the_ones_it_was_told(given: tuple[str, str]) -> None:
    with running_sandbox("--client-id", "an-id", "--client-secret", "a-secret") as sandbox:
        in_form = ask_token(sandbox, {**FORM, "client_id": given[0], "client_secret": given[1]})
        as_basic = ask_token(sandbox, FORM, Authorization=basic(*given))
        right = ask_token(sandbox, FORM)

    assert (in_form.status, in_form.json["error"]) == (401, "invalid_client")
    assert (as_basic.status, as_basic.json["error"]) == (401, "invalid_client")
    assert right.status == 200


def test_refuses_calls_without_a_token_and_with_an_unknown_one(sandbox: Sandbox) -> None:
    without = call(sandbox, GUESTS, GUEST)
    unknown = call(sandbox, GUESTS, GUEST, Authorization="Bearer made-up")

    assert (without.status, without.json["code"]) == (401, "authentication.required")
    assert (unknown.status, unknown.json["code"]) == (401, "bad.credentials")


def test_refuses_an_access_token_after_its_lifetime() -> None:
    with running_sandbox("--token-seconds", "0") as sandbox:
        grant = ask_token(sandbox, FORM)
        reply = make_guest(sandbox, f"Bearer {grant.json['access_token']}")

    assert grant.json["expires_in"] == 0
    assert (reply.status, reply.json["code"]) == (401, "bad.credentials")


def test_refuses_a_revoked_access_token_and_takes_a_new_one(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)

    revoked = sandbox.revoke()

    assert revoked == 1
    assert make_guest(sandbox, authorization).status == 401
    assert make_guest(sandbox).status == 201


def test_names_the_missing_scope_as_the_cause_of_a_403() -> None:
    with running_sandbox("--grant-scopes", "webchat:guest:write") as sandbox:
        authorization = bearer(sandbox)
        guest = make_guest(sandbox, authorization)
        token = call(
            sandbox, f"{GUESTS}/{guest.json['id']}/tokens", {}, Authorization=authorization
        )

    assert guest.status == 201
    assert token.status == 403
    assert "webchat:token:write" in token.json["cause"]


# --- Guests and their tokens --------------------------------------------------------------------


def test_creates_a_guest_and_echoes_what_it_was_sent(sandbox: Sandbox) -> None:
    reply = make_guest(sandbox)

    assert reply.status == 201
    assert list(reply.json) == ["id", *GUEST, "createdDate"]
    assert reply.json == {**reply.json, **GUEST}
    assert str(uuid.UUID(reply.json["id"])) == reply.json["id"]
    assert datetime.fromisoformat(reply.json["createdDate"]).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("consentGiven", None),
        ("consentGiven", "true"),
        ("consentGiven", 1),
        ("consentType", None),
        ("consentType", "Explicit"),
        ("consentType", ["explicit"]),
        ("email", None),
        ("email", "jane.doe"),
        ("email", "jane..doe@example.com"),
        ("email", "jane@example.com\n"),
        ("email", {}),
        ("name", 7),
        ("attributes", []),
    ],
)
def test_refuses_a_guest_with_a_wrong_field_and_names_it(
    sandbox: Sandbox, field: str, value: Any
) -> None:
    reply = make_guest(sandbox, **{field: value})

    assert (reply.status, reply.json["status"], reply.json["code"]) == (400, 400, "bad.request")
    assert [detail["fieldName"] for detail in reply.json["details"]] == [field]
    assert reply.json["contextId"] == reply.headers["ININ-Correlation-Id"]
    assert reply.json["errors"] == []


@pytest.mark.parametrize("field", ["consentGiven", "consentType", "email"])
def test_refuses_a_guest_that_lacks_a_required_field(sandbox: Sandbox, field: str) -> None:
    guest = {name: value for name, value in GUEST.items() if name != field}

    reply = call(sandbox, GUESTS, guest, Authorization=bearer(sandbox))

    assert reply.status == 400
    assert reply.json["details"] == [{"errorCode": "missing", "fieldName": field}]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_refuses_a_guest_that_is_no_json_object(sandbox: Sandbox, body: bytes) -> None:
    reply = call(sandbox, GUESTS, body, Authorization=bearer(sandbox))

    assert (reply.status, reply.json["code"]) == (400, "invalid.json")


def test_takes_a_declined_guest_unless_told_to_refuse_it(sandbox: Sandbox) -> None:
    with running_sandbox("--refuse-declined") as strict:
        refused = make_guest(strict, consentGiven=False)

    assert make_guest(sandbox, consentGiven=False).status == 201
    assert refused.status == 403
    assert "cause" not in refused.json


def test_issues_a_signed_token_for_a_guest(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    guest_id = make_guest(sandbox, authorization).json["id"]

    reply = call(sandbox, f"{GUESTS}/{guest_id}/tokens", {}, Authorization=authorization)

    header, claims, signature = reply.json["token"].split(".")
    assert reply.status == 200
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"] == guest_id
    assert header.startswith("eyJ")
    assert signature
    assert datetime.fromisoformat(reply.json["expires_at"]).utcoffset() == timedelta(0)


@pytest.mark.parametrize("guest_id", ["7bb38a1d-506a-44fa-b5df-2b14b7cf10bf", "..%2Fx", "x"])
def test_answers_404_for_a_token_of_an_unknown_guest(sandbox: Sandbox, guest_id: str) -> None:
    path = f"{GUESTS}/{guest_id}/tokens"

    reply = call(sandbox, path, {}, Authorization=bearer(sandbox))

    assert (reply.status, reply.json["entityName"]) == (404, "guest")


def test_serves_guests_under_another_path_when_told() -> None:
    with running_sandbox("--guests-path", "/v9/visitors") as sandbox:
        authorization = bearer(sandbox)
        moved = call(sandbox, "/v9/visitors", GUEST, Authorization=authorization)
        old = make_guest(sandbox, authorization)

    assert (moved.status, old.status) == (201, 404)


@pytest.mark.parametrize(("method", "status"), [("GET", 405), ("DELETE", 405)])
def test_refuses_other_methods(sandbox: Sandbox, method: str, status: int) -> None:
    reply = call(sandbox, GUESTS, method=method, Authorization=bearer(sandbox))

    assert (reply.status, reply.headers["Allow"]) == (status, "POST")


# --- Rate ---------------------------------------------------------------------------------------


def test_answers_429_with_retry_after_when_the_bucket_is_empty() -> None:
    with running_sandbox("--rate-per-minute", "60") as sandbox:
        authorization = bearer(sandbox)
        first, second, third = (make_guest(sandbox, authorization) for _ in range(3))

    assert (first.status, second.status, third.status) == (201, 201, 429)
    assert third.headers["Retry-After"] == "1"
    assert third.json["code"] == "too.many.requests.retry.after"
    assert second.headers["inin-ratelimit-count"] == "2"
    assert second.headers["inin-ratelimit-allowed"] == "60"
    assert 58 <= int(second.headers["inin-ratelimit-reset"]) <= 60


def test_counts_the_rate_by_client_and_not_by_token_and_leaves_token_requests_free() -> None:
    with running_sandbox("--rate-per-minute", "1") as sandbox:
        spent = [make_guest(sandbox).status for _ in range(3)]
        other = make_guest(sandbox, bearer(sandbox, client_id="another-id")).status

    assert spent == [201, 201, 429]
    assert other == 201


@pytest.mark.parametrize(("per_minute", "burst", "capacity"), [(60, 0, 2), (300, 0, 5), (60, 9, 9)])
def test_refills_the_bucket_by_a_sixtieth_of_the_rate_each_second(
    per_minute: int, burst: int, capacity: int
) -> None:
    now = [1000.0]
    limit = RateLimit(per_minute, clock=lambda: now[0], burst=burst)

    def accepted(tries: int) -> int:
        return sum(limit.draw(client_id="c").retry_after is None for _ in range(tries))

    assert accepted(capacity + 1) == capacity
    now[0] += 60 / per_minute
    assert accepted(2) == 1
    now[0] += 3600
    assert accepted(capacity + 1) == capacity
