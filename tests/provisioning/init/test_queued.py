"""``Prefer: respond-async`` where there is no broker: RFC 7240 lets us answer at once."""

from typing import Any

import pytest
from django.test import Client

from tests.support.webchat import Webchat

PREFER = {"Prefer": "respond-async"}


@pytest.fixture(autouse=True)
def _no_broker(settings: Any) -> None:
    settings.CELERY_BROKER_URL = ""


def test_the_answer_is_the_guest_itself(webchat: Webchat) -> None:
    reply = webchat.init(headers=PREFER)

    assert reply.status_code == 200
    assert reply.json()["accessToken"]
    assert "Preference-Applied" not in reply.headers


@pytest.mark.django_db
def test_an_unknown_capability_is_not_found() -> None:
    reply = Client().get("/api/webchat/init/AAAAAAAAAAAAAAAAAAAAAA")

    assert reply.status_code == 404
    assert reply.json()["code"] == "not_found"
