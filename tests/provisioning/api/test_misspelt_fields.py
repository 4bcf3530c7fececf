"""A misspelt field must not count as silence; what merely looks alike must not stop anybody."""

import json
from typing import Any

import pytest

from provisioning.models import GuestCreation
from tests.support.platform import Platform
from tests.support.webchat import INIT, SESSION, Webchat

MISSPELT = [
    ("consentgiven", "consentGiven"),
    ("consent_given", "consentGiven"),
    ("Consent-Given", "consentGiven"),
    (" consent given ", "consentGiven"),
    ("consentGive", "consentGiven"),
    ("consentGivenn", "consentGiven"),
    ("consentGiben", "consentGiven"),
    ("onsent_given", "consentGiven"),
    ("consent_type", "consentType"),
    ("noticeversion", "noticeVersion"),
    ("Language", "language"),
    ("session_signature", "sessionSignature"),
]
# More than one letter away, or of a field of which only the very name counts.
OTHERS = [
    "consentGivenAt", "consentTime", "consentType_", "sessionIp", "languages", "contentType",
    "consentGievn", "given", "consent", "noticeVersions", "sessionIds",
]  # fmt: skip


@pytest.mark.parametrize("mode", ["compat", "minimise", "strict"])
@pytest.mark.parametrize(("name", "field"), MISSPELT)
def test_refuses_a_misspelt_field_naming_both(
    name: str, field: str, mode: str, webchat: Webchat, platform: Platform, settings: Any
) -> None:
    settings.CONSENT_MODE = mode
    stated = {} if field == "consentGiven" else {"consentGiven": False}

    answer = webchat.post(INIT, {"sessionId": SESSION, **stated, name: False})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    (sentence,) = answer.json()["fields"][name]
    assert sentence == answer.json()["error"]
    assert name in sentence
    assert field in sentence
    assert (platform.calls, GuestCreation.objects.count()) == (0, 0)


@pytest.mark.parametrize(("name", "field"), MISSPELT)
def test_ignores_it_where_the_real_field_is_there(name: str, field: str, webchat: Webchat) -> None:
    real = {
        "consentGiven": True,
        "consentType": "explicit",
        "noticeVersion": "1",
        "language": "en",
        "sessionSignature": "00",
    }

    answer = webchat.post(INIT, {"sessionId": SESSION, **real, name: False})

    assert answer.status_code == 200


def test_takes_what_the_tutorial_s_clients_send_beside_the_real_fields(webchat: Webchat) -> None:
    beside = {
        "consentGivenAt": "2026-01-01",
        "consentTime": 1,
        "sessionIp": "192.0.2.1",
        "languages": ["en"],
        "contentType": "text/html",
    }

    assert webchat.init(**beside).status_code == 200


@pytest.mark.parametrize("name", OTHERS)
def test_ignores_what_merely_looks_alike(name: str, webchat: Webchat) -> None:
    answer = webchat.post(INIT, {"sessionId": SESSION, "consentType": "explicit", name: "x"})

    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["languages", "contentType", "sessionIp"])
def test_ignores_them_where_the_real_field_is_absent(name: str, webchat: Webchat) -> None:
    assert webchat.init(**{name: "x"}).status_code == 200


def test_keeps_the_tutorial_s_sentence_for_a_missing_session(webchat: Webchat) -> None:
    answer = webchat.post(INIT, {"session_id": SESSION, "consentGiven": True}).json()

    assert answer["error"] == "sessionId is required in request body"
    assert list(answer["fields"]) == ["sessionId", "session_id"]
    assert "sessionId" in answer["fields"]["session_id"][0]
    assert SESSION not in json.dumps(answer)


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("token", {"sessionId": SESSION, "guest_id": "g"}, "guest_id"),
        ("consent/withdraw", {"session-id": SESSION}, "session-id"),
        ("consent/receipt", {"sessionId": SESSION, "guestID": "g"}, "guestID"),
    ],
)
def test_knows_the_fields_of_every_call(
    path: str, body: dict[str, Any], name: str, webchat: Webchat
) -> None:
    answer = webchat.post(f"/api/webchat/{path}", body)

    assert answer.status_code == 400
    assert name in answer.json()["fields"]


def test_asks_for_no_field_of_another_call(webchat: Webchat) -> None:
    body = {"sessionId": SESSION, "consent_given": False, "guest_id": "g"}

    assert webchat.post("/api/webchat/consent/withdraw", body).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "consentGiven\ud800",
        "consent\x00Given",
        "consentGiven\u202e",
        "consent" + "_" * 9_000 + "given",
    ],
    ids=["surrogate", "NUL", "direction", "long"],
)
def test_repeats_a_name_cut_and_cleaned(name: str, webchat: Webchat) -> None:
    answer = webchat.post(INIT, {"sessionId": SESSION, name: False})

    assert answer.status_code == 400
    (told,) = answer.json()["fields"]
    assert len(told) <= 72
    assert told.isprintable()
    assert len(answer.content) < 500


def test_names_one_for_each_field_however_many_there_are(webchat: Webchat) -> None:
    names = {f"consent{'_' * number}given": False for number in range(200)}

    answer = webchat.post(INIT, {"sessionId": SESSION, **names})

    assert answer.status_code == 400
    assert len(answer.json()["fields"]) == 1
