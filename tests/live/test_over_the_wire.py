"""What is decided between socket and Django: lengths, chunks, malformed HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.conftest import LIMIT, Live, new_address

pytestmark = pytest.mark.thorough

JSON = "Content-Type: application/json\n"
CHUNKED = JSON + "Transfer-Encoding: chunked"
BODY = b'{"sessionId": "over-the-wire", "consentGiven": true}'


def chunks(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def check(answer: tuple[str, bytes], status: int, code: str) -> None:
    head, body = answer
    assert head.split(" ")[1] == str(status)
    assert "Content-Type: application/json" in head
    error = json.loads(body)
    assert error["code"] == code
    assert f"X-Request-ID: {error['requestId']}" in head


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_takes_a_chunked_body_like_any_other(live: Live, size: int) -> None:
    head, body = live.send(CHUNKED, chunks(BODY, size))

    assert head.startswith("HTTP/1.1 200 ")
    assert json.loads(body)["guestId"]


def test_refuses_a_chunked_body_that_is_too_large(live: Live) -> None:
    answer = live.send(CHUNKED, chunks(BODY + b" " * 64 * 1024, 8192))

    check(answer, 413, "too_large")


@pytest.mark.parametrize("length", ["65537", "99999999999999999999", "000000000000000000065537"])
def test_refuses_an_announced_excess_unread(live: Live, length: str) -> None:
    check(live.send(f"{JSON}Content-Length: {length}"), 413, "too_large")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Length: -1", b""),
        ("Content-Length: ten", b""),
        ("Content-Length: 2\nContent-Length: 3", b"{}"),
        ("Content-Length: 2\nTransfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", b"zz\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", b"2\r\n{}garbage"),
        ("Transfer-Encoding: cow", b"{}"),
        ("No colon here", b""),
        ("A header: x", b""),
    ],
)
def test_refuses_what_is_no_http_in_the_contract_s_shape(
    live: Live, head: str, body: bytes
) -> None:
    check(live.send(JSON + head, body), 400, "invalid_request")


def test_refuses_a_content_type_that_django_cannot_read(live: Live) -> None:
    unreadable = "Content-Type: application/json; charset*=bogus''%ff\nContent-Length: 2"

    check(live.send(unreadable, b"{}"), 415, "unsupported_media_type")


def test_answers_head_without_a_body(live: Live) -> None:
    reply = live.service.request("HEAD", "/api/webchat/init", None, {}, 10)

    assert (reply.status, reply.text) == (405, "")


@pytest.mark.parametrize("head", ["Content-Length: 500", "Transfer-Encoding: chunked"])
def test_logs_no_traceback_when_a_client_hangs_up(live: Live, head: str) -> None:
    live.send(JSON + head, b'1ff\r\n{"sess', half=True)
    live.send(JSON + "Content-Length: 2", b"{}")  # it is at work still

    assert "Traceback" not in live.service.log


# --- The inbound limit --------------------------------------------------------------------------


def test_lets_exactly_ten_of_a_hundred_at_once_through(live: Live) -> None:
    client = new_address()

    with ThreadPoolExecutor(50) as threads:
        replies = list(threads.map(lambda n: live.init(f"s-{n}", client=client), range(100)))

    assert [reply.status for reply in replies].count(200) == LIMIT
    refused = [reply for reply in replies if reply.status != 200]
    assert {(reply.status, reply.json["code"]) for reply in refused} == {(429, "rate_limited")}
    assert all(1 <= int(reply.headers["Retry-After"]) <= 60 for reply in refused)


def test_believes_the_proxy_and_not_what_came_before_it(live: Live) -> None:
    client = new_address()

    statuses = [
        live.init("s", client=f"198.51.100.{number}, {client}").status
        for number in range(LIMIT + 1)
    ]

    assert statuses == [200] * LIMIT + [429]


# --- One key at the same time -------------------------------------------------------------------


def test_makes_one_guest_for_one_key_however_often_it_comes_at_once(live: Live) -> None:
    before = live.sandbox.count("guests")
    live.sandbox.faults([{"endpoint": "guests", "kind": "delay", "seconds": 0.3}])

    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: live.init("same", Idempotency_Key="k"), range(8)))

    live.sandbox.faults([])
    assert live.sandbox.count("guests") == before + 1
    assert {reply.status for reply in replies} <= {200, 409}
    assert len({reply.json["guestId"] for reply in replies if reply.status == 200}) == 1
    codes = {reply.json["code"] for reply in replies if reply.status == 409}
    assert codes == {"in_progress"}
