"""The API's description is valid, complete, and served with a UI of our own."""

import json
from typing import Any

import pytest
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from guestportal import webchat

WEBCHAT = ("/api/webchat/init", "/api/webchat/token", "/api/webchat/consent/withdraw")

# The contract's table of errors, as far as a webchat call can meet them.
CODES = [
    "invalid_request",
    "consent_declined",
    "origin_not_allowed",
    "identity_required",
    "not_found",
    "not_acceptable",
    "in_progress",
    "too_large",
    "unsupported_media_type",
    "idempotency_mismatch",
    "rate_limited",
    "platform_rejected",
    "platform_credentials",
    "platform_protocol",
    "platform_busy",
    "platform_unavailable",
    "storage_unavailable",
    "overloaded",
    "platform_timeout",
]


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    return dict(client.get("/api/schema").json())


def test_is_valid_openapi_31(schema: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(schema).validate()

    assert schema["openapi"].startswith("3.1")


def test_describes_every_address_of_the_api(schema: dict[str, Any]) -> None:
    from guestportal.urls import urlpatterns

    described = set(schema["paths"])
    webchat = next(entry for entry in urlpatterns if str(entry.pattern) == "api/webchat/")
    addresses = {f"/api/webchat/{entry.pattern}" for entry in webchat.url_patterns}

    assert {address for address in addresses if "<" not in address} <= described


def test_names_every_code_a_webchat_call_may_be_refused_with(schema: dict[str, Any]) -> None:
    responses = [
        response
        for path in WEBCHAT
        for response in schema["paths"][path]["post"]["responses"].values()
    ]

    text = json.dumps(responses)

    assert [code for code in CODES if f'"{code}"' not in text] == []


def test_the_clients_types_know_every_code() -> None:
    types = webchat.MODULE.with_suffix(".d.ts").read_text()

    assert [code for code in CODES if f'| "{code}"' not in types] == []


@pytest.mark.parametrize("path", WEBCHAT)
def test_says_what_every_field_means(schema: dict[str, Any], path: str) -> None:
    content = schema["paths"][path]["post"]["requestBody"]["content"]
    name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    fields = schema["components"]["schemas"][name]["properties"]

    silent = [name for name, field in fields.items() if not field.get("description")]

    assert silent == []


def test_takes_json_alone(schema: dict[str, Any]) -> None:
    for path in WEBCHAT:
        assert list(schema["paths"][path]["post"]["requestBody"]["content"]) == ["application/json"]


def test_shows_the_docs_with_nothing_from_elsewhere_and_nothing_inline(client: Client) -> None:
    page = client.get("/api/docs")

    assert page.status_code == 200
    assert "script-src 'self';" in page["Content-Security-Policy"] + ";"
    assert b"<script>" not in page.content
    assert b"//" not in page.content.replace(b"<!doctype", b"")


def test_refuses_other_methods_in_the_apis_words(client: Client) -> None:
    answer = client.post("/api/schema")

    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
