"""The sandbox misbehaves as its fault script says."""

import http.client
import json
import zlib
from typing import Any

import pytest

from tests.sandbox.platform_calls import (
    FORM,
    GUEST,
    GUESTS,
    ask_token,
    bearer,
    call,
    make_guest,
)
from tests.support.sandbox import Sandbox


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


@pytest.mark.parametrize("process", [True, False])
def test_makes_the_guest_before_a_scripted_error_only_when_told(
    sandbox: Sandbox, process: bool
) -> None:
    authorization = bearer(sandbox)
    told = {"process": True} if process else {}
    sandbox.faults([{"kind": "status", "status": 502, **told}])

    reply = make_guest(sandbox, authorization)

    assert reply.status == 502
    assert sandbox.stats()["guestsCreated"] == int(process)


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
