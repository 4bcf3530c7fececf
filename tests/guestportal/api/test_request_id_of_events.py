"""What is sealed names a request by an id made here; a client's may hold anything."""

import io
import logging
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest

from audit.models import AuditEvent
from guestportal.watch.logs import JsonFormatter
from provisioning.models import GuestCreation
from tests.support.webchat import INIT, SESSION, Webchat

PATHS = {
    "init": {"consentGiven": True},
    "token": {"guestId": "guest-1"},
    "consent/withdraw": {},
    "consent/receipt": {"guestId": "guest-1"},
}
# What is sent as the body, and an X-Request-ID that tells who its session is.
TELLING = {
    "equal": (b'{"sessionId": "abc-1"}', "abc-1"),
    "inside": (b'{"sessionId": "abc-1"}', "trace.abc-1.9"),
    "in capitals": (b'{"sessionId":"abc-1"}', "ABC-1"),
    "escaped": (b'{"session\\u0049d": "\\u0061bc\\u002D1"}', "abc-1"),
    "beside a wrong field": (b'{"sessionId": "abc-1", "consentGiven": 1}', "abc-1"),
    "misspelt": (b'{"session_id": "abc-1"}', "abc-1"),
    "repeated": (b'{"sessionId": "abc-1", "sessionId": "x"}', "abc-1"),
    "of the wrong type": (b'{"sessionId": 4711}', "4711"),
    "cut off": (b'{"sessionId": "abc-1', "abc-1"),
    "no JSON": (b'{"sessionId": "abc-1",}', "abc-1"),
}


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """Return what was logged since it was asked last, as it is written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)

    def since() -> str:
        text = written.getvalue()
        written.seek(0)
        written.truncate()
        return text

    yield since
    logging.getLogger().removeHandler(handler)


def sealed() -> str:
    return "".join(f"{event.request_id} {event.body}" for event in AuditEvent.objects.all())


@pytest.mark.parametrize("case", TELLING.values(), ids=TELLING)
def test_replaces_a_client_s_id_that_holds_the_session_id(
    case: tuple[bytes, str], webchat: Webchat, logged: Callable[[], str]
) -> None:
    body, given = case

    answer = webchat.post(INIT, body, X_Request_ID=given)

    told = answer.headers["X-Request-ID"]
    assert UUID(told).hex == told
    assert answer.json().get("requestId", told) == told
    assert set(GuestCreation.objects.values_list("request_id", flat=True)) <= {told}
    assert given not in sealed()
    lines = logged()
    assert told in lines
    assert given not in lines


@pytest.mark.parametrize("path", PATHS)
def test_replaces_it_in_every_call_of_a_page(path: str, webchat: Webchat) -> None:
    body = {"sessionId": SESSION, **PATHS[path]}

    answer = webchat.post(f"/api/webchat/{path}", body, X_Request_ID=SESSION)

    assert SESSION not in answer.headers["X-Request-ID"] + answer.content.decode()


@pytest.mark.parametrize(
    ("status", "headers"),
    [(415, {"Content_Type": "text/plain"}), (406, {"Accept": "text/html"}), (429, {})],
)
def test_replaces_it_where_nobody_reads_the_body(
    status: int,
    headers: dict[str, str],
    webchat: Webchat,
    settings: Any,
    logged: Callable[[], str],
) -> None:
    settings.INIT_RATE = "1/min"
    webchat.init(SESSION if status == 429 else "other")
    settings.INIT_RATE = "1/min" if status == 429 else "100/min"
    logged()

    answer = webchat.init(headers={"X_Request_ID": SESSION, **headers})

    assert answer.status_code == status
    lines = logged()
    assert answer.headers["X-Request-ID"] in lines
    assert SESSION not in answer.headers["X-Request-ID"] + answer.content.decode() + lines


@pytest.mark.parametrize(
    "rest", [{"noticeVersion": "request-7"}, {"x": {"guestId": "request-7"}}, {"x": "request-7"}]
)
def test_keeps_an_id_that_holds_something_else(rest: dict[str, Any], webchat: Webchat) -> None:
    answer = webchat.init(headers={"X_Request_ID": "request-7"}, **rest)

    assert answer.headers["X-Request-ID"] == "request-7"


def test_seals_no_id_of_a_client(webchat: Webchat) -> None:
    guest = webchat.init(headers={"X_Request_ID": "jane.doe"}).json()["guestId"]
    for path in ("token", "consent/withdraw"):
        body = {"sessionId": SESSION, "guestId": guest}
        webchat.post(f"/api/webchat/{path}", body, X_Request_ID="jane.doe")

    assert "jane.doe" not in sealed()
    ids = set(AuditEvent.objects.values_list("request_id", flat=True))
    assert len(ids) == 3
    assert {UUID(each).hex for each in ids} == ids


def test_keeps_both_ids_in_the_row(webchat: Webchat) -> None:
    webchat.init(headers={"X_Request_ID": "request-7"})

    row = GuestCreation.objects.get()
    assert row.request_id == "request-7"
    assert {row.request_in_events} == set(AuditEvent.objects.values_list("request_id", flat=True))


def test_gives_the_events_an_id_that_no_answer_shows(webchat: Webchat) -> None:
    answer = webchat.init()

    assert answer.headers["X-Request-ID"] == GuestCreation.objects.get().request_id
    assert answer.headers["X-Request-ID"] not in sealed()


class Broken(BytesIO):
    """A body whose client hangs up."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError("gone")


def test_answers_a_client_that_hangs_up_within_its_body(webchat: Webchat) -> None:
    answer = webchat.client.generic(
        "POST",
        INIT,
        b"{}",
        content_type="application/json",
        headers={"X-Request-ID": "request-7"},
        **{"wsgi.input": Broken()},
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
