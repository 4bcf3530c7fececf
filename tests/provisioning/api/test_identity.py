"""`sessionSignature`: only the website's own backend can vouch for a session."""

import hashlib
import hmac
from typing import Any

import pytest

from provisioning.models import GuestCreation
from tests.support.platform import Platform
from tests.support.webchat import SESSION, Webchat

SECRET = "a-secret-shared-with-the-websites-backend"
PATHS = ["/api/webchat/init", "/api/webchat/token", "/api/webchat/consent/withdraw"]


def signature(session_id: str = SESSION, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), session_id.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def required(settings: Any) -> None:
    settings.IDENTITY_VERIFICATION = "required"
    settings.IDENTITY_SECRET = SECRET


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"sessionSignature": "0" * 64},
        {"sessionSignature": signature("another-session")},
        {"sessionSignature": signature(secret="another-secret")},
        {"sessionSignature": signature()[:-1]},
        {"sessionSignature": "é" * 64},
    ],
    ids=["none", "wrong", "another session", "another secret", "cut", "not hex"],
)
@pytest.mark.parametrize("path", PATHS)
def test_refuses_before_anything_is_done(
    required: None, path: str, fields: dict[str, str], webchat: Webchat, platform: Platform
) -> None:
    answer = webchat.post(path, {"sessionId": SESSION, "guestId": "guest-1"} | fields)

    assert (answer.status_code, answer.json()["code"]) == (403, "identity_required")
    assert platform.calls == GuestCreation.objects.count() == 0


@pytest.mark.parametrize("signed", [signature(), signature().upper()])
def test_lets_a_signed_session_in(required: None, signed: str, webchat: Webchat) -> None:
    assert webchat.init(sessionSignature=signed).status_code == 200


def test_signs_the_utf_8_bytes(required: None, webchat: Webchat) -> None:
    session_id = "séance-🙂"

    assert webchat.init(session_id, sessionSignature=signature(session_id)).status_code == 200


def test_lets_nobody_in_without_a_secret(webchat: Webchat, settings: Any) -> None:
    settings.IDENTITY_VERIFICATION = "required"
    settings.IDENTITY_SECRET = ""

    assert webchat.init(sessionSignature=signature(secret="")).status_code == 403


def test_asks_for_no_signature_where_none_is_required(webchat: Webchat) -> None:
    assert webchat.init(sessionSignature="whatever").status_code == 200


def test_counts_no_signature_as_part_of_a_repeated_body(required: None, webchat: Webchat) -> None:
    headers = {"Idempotency_Key": "k"}
    webchat.init(sessionSignature=signature(), headers=headers)

    answer = webchat.init(sessionSignature=signature().upper(), headers=headers)

    assert answer.status_code == 200
