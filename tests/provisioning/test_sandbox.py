"""The sandbox answers as the seed describes the platform; every test speaks HTTP to a process."""

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import uuid
import zlib
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from provisioning.genesys.sandbox.ratelimit import RateLimit
from tests.sandbox import Sandbox, running_sandbox

GUESTS = "/api/v2/webchat/v1/guests"
GUEST = {
    "name": "Jane",
    "email": "jane.doe@example.com",
    "consentGiven": True,
    "consentType": "explicit",
    "attributes": {"crmTier": "Enterprise", "historicalTickets": 12},
}
FORM = {
    "grant_type": "client_credentials",
    "client_id": "an-id",
    "client_secret": "a-secret",
    "scope": "webchat:guest:write webchat:token:write",
}


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


def connect(sandbox: Sandbox, timeout: float = 10) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=timeout)


def call(
    sandbox: Sandbox,
    path: str,
    body: Any = None,
    *,
    method: str = "POST",
    timeout: float = 10,
    **headers: str,
) -> Reply:
    """Send JSON, or bytes as they are, on a connection of its own."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    names = {"Content-Type": "application/json"}
    names.update({name.replace("_", "-"): value for name, value in headers.items()})
    connection = connect(sandbox, timeout)
    try:
        connection.request(method, path, data, names)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


def ask_token(sandbox: Sandbox, form: dict[str, str], **headers: str) -> Reply:
    headers = {"Content_Type": "application/x-www-form-urlencoded", **headers}
    return call(sandbox, "/oauth/token", urlencode(form).encode(), **headers)


def bearer(sandbox: Sandbox, **form: str) -> str:
    token = ask_token(sandbox, {**FORM, **form}).json["access_token"]
    return f"Bearer {token}"


def make_guest(sandbox: Sandbox, authorization: str | None = None, **changes: Any) -> Reply:
    guest = {**GUEST, **changes}
    return call(sandbox, GUESTS, guest, Authorization=authorization or bearer(sandbox))


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


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


@pytest.mark.parametrize("guest_id", [str(uuid.uuid4()), "..%2Fx", "x"])
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


@pytest.mark.parametrize(("per_minute", "capacity"), [(60, 2), (300, 5)])
def test_refills_the_bucket_by_a_sixtieth_of_the_rate_each_second(
    per_minute: int, capacity: int
) -> None:
    now = [1000.0]
    limit = RateLimit(per_minute, clock=lambda: now[0])

    def accepted(tries: int) -> int:
        return sum(limit.draw(client_id="c").retry_after is None for _ in range(tries))

    assert accepted(capacity + 1) == capacity
    now[0] += 60 / per_minute
    assert accepted(2) == 1
    now[0] += 3600
    assert accepted(capacity + 1) == capacity


# --- What it tells ------------------------------------------------------------------------------


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


# --- Faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "statuses"),
    [
        ({"call": 2}, [201, 503, 201, 201]),
        ({"calls": [2, 3]}, [201, 503, 503, 201]),
        ({"calls": [3, None]}, [201, 201, 503, 503]),
        ({"every": 2}, [201, 503, 201, 503]),
        ({}, [503, 503, 503, 503]),
    ],
)
def test_applies_a_fault_to_the_calls_it_names(
    sandbox: Sandbox, when: dict[str, Any], statuses: list[int]
) -> None:
    authorization = bearer(sandbox)
    sandbox.faults([{"endpoint": "guests", "kind": "status", "status": 503, **when}])

    replies = [make_guest(sandbox, authorization) for _ in range(4)]

    assert [reply.status for reply in replies] == statuses


def test_answers_a_scripted_status_with_its_headers_and_body(sandbox: Sandbox) -> None:
    rule = {"kind": "status", "status": 302, "headers": {"Location": "/x"}, "body": {"a": 1}}
    sandbox.faults([rule])

    reply = call(sandbox, GUESTS, GUEST)

    assert (reply.status, reply.headers["Location"], reply.json) == (302, "/x", {"a": 1})


def test_answers_a_scripted_error_with_the_platforms_body(sandbox: Sandbox) -> None:
    sandbox.faults([{"kind": "status", "status": 429, "headers": {"Retry-After": "2"}}])

    reply = call(sandbox, GUESTS, GUEST)

    assert (reply.status, reply.headers["Retry-After"]) == (429, "2")
    assert reply.json["code"] == "too.many.requests.retry.after"


@pytest.mark.parametrize("kind", ["reset", "close"])
@pytest.mark.parametrize("process", [True, False])
def test_drops_the_connection_before_or_after_making_the_guest(
    sandbox: Sandbox, kind: str, process: bool
) -> None:
    authorization = bearer(sandbox)
    sandbox.faults([{"kind": kind, "process": process}])
    expected = ConnectionResetError if kind == "reset" else http.client.RemoteDisconnected

    with pytest.raises(expected) as caught:
        make_guest(sandbox, authorization)

    assert type(caught.value) is expected
    assert sandbox.stats()["guestsCreated"] == int(process)
    assert sandbox.calls(endpoint="guests")[0]["status"] is None
    assert sandbox.calls(endpoint="guests")[0]["fault"] == kind


def test_hangs_without_an_answer(sandbox: Sandbox) -> None:
    sandbox.faults([{"kind": "hang"}])

    with pytest.raises(TimeoutError):
        call(sandbox, GUESTS, GUEST, timeout=0.1)


def test_makes_the_guest_before_a_scripted_delay(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    sandbox.faults([{"kind": "delay", "seconds": 60}])

    with pytest.raises(TimeoutError):
        call(sandbox, GUESTS, GUEST, timeout=0.1, Authorization=authorization)

    assert sandbox.stats()["guestsCreated"] == 1


def test_answers_truly_after_a_scripted_delay(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    sandbox.faults([{"kind": "delay", "seconds": 0.05}])

    reply = make_guest(sandbox, authorization)

    assert reply.status == 201


@pytest.mark.parametrize("part", ["head", "body"])
def test_drips_an_answer_slower_than_the_reader_waits_in_all(sandbox: Sandbox, part: str) -> None:
    authorization = bearer(sandbox)
    sandbox.faults([{"kind": "drip", "part": part, "bytes": 50, "interval": 0.005}])

    whole = make_guest(sandbox, authorization)
    sandbox.faults([{"kind": "drip", "part": part, "bytes": 1, "interval": 60}])

    assert (whole.status, whole.json["email"]) == (201, GUEST["email"])
    with pytest.raises(TimeoutError):
        call(sandbox, GUESTS, GUEST, timeout=0.1, Authorization=authorization)


def test_cuts_an_answer_in_half(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    sandbox.faults([{"kind": "cut"}])

    with pytest.raises(http.client.IncompleteRead) as caught:
        make_guest(sandbox, authorization)

    assert caught.value.partial.startswith(b'{"id"')


@pytest.mark.parametrize(
    ("shape", "start"),
    [("html", b"<!doctype"), ("text", b"OK"), ("binary", b"\x80"), ("truncated", b'{"id"')],
)
def test_answers_garbage_with_the_true_status(sandbox: Sandbox, shape: str, start: bytes) -> None:
    authorization = bearer(sandbox)
    sandbox.faults([{"kind": "garbage", "shape": shape}])

    reply = make_guest(sandbox, authorization)

    assert reply.status == 201
    assert reply.raw.startswith(start)
    with pytest.raises(ValueError, match=r"."):
        reply.json  # noqa: B018


def test_answers_json_of_another_shape(sandbox: Sandbox) -> None:
    sandbox.faults([{"kind": "garbage", "shape": "array"}])

    reply = ask_token(sandbox, FORM)

    assert reply.json[0]["token_type"] == "Bearer"


def test_alters_fields_of_the_true_answer(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    sandbox.faults([{"kind": "alter", "set": {"id": "../x", "name": 7}, "drop": ["createdDate"]}])

    reply = make_guest(sandbox, authorization)

    assert (reply.json["id"], reply.json["name"]) == ("../x", 7)
    assert "createdDate" not in reply.json
    assert reply.json["email"] == GUEST["email"]


def test_sends_a_small_gzip_body_that_unzips_to_eighty_megabytes(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    sandbox.faults([{"kind": "bomb"}])

    reply = make_guest(sandbox, authorization)

    content = zlib.decompress(reply.raw, wbits=31)
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(reply.raw) < 200_000
    assert len(content) > 80_000_000
    assert json.loads(content)["email"] == GUEST["email"]


def test_answers_under_a_http_version_that_nobody_speaks(sandbox: Sandbox) -> None:
    sandbox.faults([{"kind": "http_version", "version": "BANANA/1"}])

    with pytest.raises(http.client.BadStatusLine):
        call(sandbox, GUESTS, GUEST)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ({}, "array of rules"),
        ([{"kind": "status", "status": 500}, 7], "rule 2: must be an object"),
        ([{"kind": "explode"}], "rule 1: kind must be one of"),
        ([{"kind": "status"}], "status must be given"),
        ([{"kind": "hang", "status": 500}], "hang has no field 'status'"),
        ([{"kind": "hang", "endpoint": "guest"}], "endpoint must be oauth"),
        ([{"kind": "hang", "call": 0}], "call must be"),
        ([{"kind": "hang", "calls": [3, 1]}], "calls must be"),
        ([{"kind": "hang", "call": 1, "every": 2}], "one of call, calls, every"),
        ([{"kind": "status", "status": 500, "headers": {"A": "b\r\nC: d"}}], "headers must be"),
    ],
)
def test_refuses_a_wrong_script_by_rule_and_field_and_keeps_the_old_one(
    sandbox: Sandbox, script: Any, complaint: str
) -> None:
    sandbox.faults([{"kind": "status", "status": 418}])

    reply = call(sandbox, "/_sandbox/faults", script)

    assert reply.status == 400
    assert complaint in reply.json["message"]
    assert call(sandbox, GUESTS, GUEST).status == 418


# --- HTTP ---------------------------------------------------------------------------------------


def test_answers_many_requests_on_one_connection_in_order(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    connection = connect(sandbox)
    headers = {"Authorization": authorization, "Content-Type": "application/json"}

    names = []
    for number in range(5):
        connection.request("POST", GUESTS, json.dumps({**GUEST, "name": str(number)}), headers)
        names.append(json.load(connection.getresponse())["name"])
    connection.close()

    assert names == ["0", "1", "2", "3", "4"]


def test_answers_pipelined_requests_in_order_when_answers_are_late() -> None:
    with running_sandbox("--latency-ms", "10") as sandbox:
        connection = connect(sandbox)
        connection.connect()
        for path in (b"/first", b"/oauth/token"):
            connection.sock.sendall(b"POST " + path + b" HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        received = connection.sock.makefile("rb")
        first = received.readline()
        received.read(int(http.client.parse_headers(received)["Content-Length"]))
        second = received.readline()
        received.close()
        connection.close()

    assert first.startswith(b"HTTP/1.1 404")
    assert second.startswith(b"HTTP/1.1 400")


def test_takes_a_chunked_body(sandbox: Sandbox) -> None:
    data = json.dumps(GUEST).encode()
    connection = connect(sandbox)
    headers = {"Authorization": bearer(sandbox), "Content-Type": "application/json"}

    connection.request("POST", GUESTS, iter([data[:7], data[7:]]), headers, encode_chunked=True)
    status = connection.getresponse().status
    connection.close()

    assert status == 201


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", b"400"),
        (b"X" * 40_000, b"431"),
    ],
)
def test_refuses_what_is_no_bounded_request_and_closes(
    sandbox: Sandbox, raw: bytes, status: bytes
) -> None:
    connection = connect(sandbox)
    connection.connect()

    connection.sock.sendall(raw)
    received = connection.sock.makefile("rb").read()
    connection.close()

    assert received.split(b" ")[1] == status


def test_serves_a_thousand_waiting_clients_at_once() -> None:
    with running_sandbox("--latency-ms", "300") as sandbox:
        connections = [connect(sandbox) for _ in range(1000)]
        for connection in connections:
            connection.request("POST", "/oauth/token", urlencode(FORM))
        statuses = {connection.getresponse().status for connection in connections}
        for connection in connections:
            connection.close()

    assert statuses == {200}


# --- The process --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly_on_a_signal_while_a_client_waits(number: signal.Signals) -> None:
    with running_sandbox() as sandbox:
        sandbox.faults([{"kind": "hang"}])
        waiting = connect(sandbox)
        waiting.request("POST", GUESTS, b"{}")

        os.kill(sandbox.process.pid, number)

        assert sandbox.process.wait(timeout=5) == 0
        waiting.close()


def test_starts_from_manage_py_with_faults_from_a_file(tmp_path: Any) -> None:
    script = tmp_path / "faults.json"
    script.write_text('[{"kind": "status", "status": 418}]')
    command = [sys.executable, "manage.py", "genesys_sandbox", "--faults", str(script)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=django_environment())
    assert process.stdout is not None

    sandbox = Sandbox(url=process.stdout.readline().split()[-1], process=process)
    reply = call(sandbox, GUESTS, GUEST)

    assert reply.status == 418
    assert sandbox.stop() == 0


def test_does_not_start_with_a_wrong_fault_file(tmp_path: Any) -> None:
    script = tmp_path / "faults.json"
    script.write_text('[{"kind": "explode"}]')
    command = [sys.executable, "-m", "provisioning.genesys.sandbox", "--faults", str(script)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "rule 1: kind must be one of" in ended.stderr


def test_says_so_when_the_port_is_taken(sandbox: Sandbox) -> None:
    port = str(urlsplit(sandbox.url).port)
    command = [sys.executable, "-m", "provisioning.genesys.sandbox", "--port", port]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_explains_the_fault_file_in_its_help() -> None:
    command = [sys.executable, "manage.py", "genesys_sandbox", "--help"]

    ended = subprocess.run(
        command, capture_output=True, text=True, check=True, env=django_environment()
    )

    assert '{"endpoint": "guests", "call": 1, "kind": "status"' in ended.stdout


def test_needs_neither_django_nor_requests() -> None:
    program = (
        "import sys, provisioning.genesys.sandbox.__main__\n"
        "print(sorted({'django', 'rest_framework', 'requests', 'crm'} & set(sys.modules)))"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ended.stdout == "[]\n"


def django_environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
