"""`X-Request-ID`: one name for a request, in answer, row, audit log and log lines."""

import io
import json
import logging
from typing import Any

import pytest

from guestportal.watch.logs import JsonFormatter
from provisioning.models import GuestCreation
from tests.support.webchat import INIT, Webchat


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 64])
def test_keeps_a_well_formed_id(given: str, webchat: Webchat) -> None:
    answer = webchat.init(headers={"X_Request_ID": given})

    assert answer.headers["X-Request-ID"] == given
    assert GuestCreation.objects.get().request_id == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "ä", "<script>", "a\tb", "a\x00b"])
def test_replaces_any_other_id(given: str, webchat: Webchat) -> None:
    answer = webchat.init(headers={"X_Request_ID": given})

    made = answer.headers["X-Request-ID"]
    assert made != given
    assert made == GuestCreation.objects.get().request_id


def test_names_each_request_differently(webchat: Webchat) -> None:
    made = {webchat.init().headers["X-Request-ID"] for _ in range(3)}

    assert len(made) == 3


def test_stands_in_the_error_as_in_the_header(webchat: Webchat) -> None:
    answer = webchat.post(INIT, {})

    assert answer.json()["requestId"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("path", ["/admin/login/", "/nothing", "/api/nothing"])
def test_is_in_every_answer(path: str, webchat: Webchat) -> None:
    assert webchat.client.get(path).headers["X-Request-ID"]


def test_stands_on_every_log_line_of_the_request(webchat: Webchat, settings: Any) -> None:
    settings.INIT_RATE = None  # a bug, so that there is something to log
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)

    webchat.init(headers={"X_Request_ID": "request-7"})
    logging.getLogger().error("after the request")
    logging.getLogger().removeHandler(handler)

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert len(lines) > 1
    assert {line.get("requestId") for line in lines[:-1]} == {"request-7"}
    assert "requestId" not in lines[-1]
