"""Which pages may call: the same origin, and the ones that are named."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from provisioning.models import GuestCreation
from tests.support.platform import Platform, says
from tests.support.webchat import INIT, SESSION, Webchat

FRIEND = "https://shop.example"
PATHS = [INIT, "/api/webchat/token", "/api/webchat/consent/withdraw", "/api/webchat/nothing"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:444",
        "https://shop.example.evil.example",
        "https://a.shop.example",
        "https://shop.example@evil.example",
        "http://testserver:81",
        "null",
        "",
        "http://[",
    ],
)
def test_refuses_any_other_origin_before_any_work(
    origin: str, webchat: Webchat, platform: Platform
) -> None:
    answer = webchat.init(headers={"Origin": origin})

    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert platform.calls == GuestCreation.objects.count() == 0


@pytest.mark.parametrize("path", PATHS)
def test_holds_for_every_webchat_post(path: str, webchat: Webchat) -> None:
    answer = webchat.post(path, {"sessionId": SESSION}, Origin="https://evil.example")

    assert answer.json()["code"] == "origin_not_allowed"


@pytest.mark.parametrize("origin", [FRIEND, "http://testserver"])
def test_lets_named_origins_and_its_own_in(origin: str, webchat: Webchat) -> None:
    assert webchat.init(headers={"Origin": origin}).status_code == 200


def test_knows_its_own_origin_with_a_port(webchat: Webchat) -> None:
    answer = webchat.init(headers={"Host": "localhost:8123", "Origin": "http://localhost:8123"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("TestServer", "http://testserver"),
        ("testserver:80", "http://testserver"),
        ("testserver.", "http://testserver"),
        ("testserver", "HTTP://TestServer:80"),
        ("testserver", "HTTPS://SHOP.example:443"),
        ("localhost:443", "http://localhost:443"),
    ],
)
def test_compares_origins_in_one_form(host: str, origin: str, webchat: Webchat) -> None:
    assert webchat.init(headers={"Host": host, "Origin": origin}).status_code == 200


@pytest.mark.parametrize("host", ["testserver:443", "testserver:8000", "localhost"])
def test_takes_no_other_port_or_name_for_its_own(host: str, webchat: Webchat) -> None:
    answer = webchat.init(headers={"Host": host, "Origin": "http://testserver"})

    assert answer.json()["code"] == "origin_not_allowed"


@pytest.mark.parametrize("host", ["TESTSERVER", "testserver:443"])
def test_lets_staff_sign_in_under_a_host_in_capitals_or_with_its_port(
    host: str, db: None, settings: Any
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    client = Client(enforce_csrf_checks=True)
    told: dict[str, Any] = {"headers": {"Host": host, "X-Forwarded-Proto": "https"}}
    page = client.get("/admin/login/", **told)
    token = str(page.context["csrf_token"])
    form = urlencode({"csrfmiddlewaretoken": token, "username": "x", "password": "x"})
    told["headers"] |= {"Origin": "https://testserver"}
    told["content_type"] = "application/x-www-form-urlencoded"

    assert client.post("/admin/login/", form, **told).status_code == 200


def test_redirects_to_https_without_the_port_of_http(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True

    answer = client.get("/admin/", headers={"Host": "TestServer:80"})

    assert answer.headers["Location"] == "https://testserver/admin/"


def test_knows_its_own_origin_behind_a_tls_proxy(webchat: Webchat, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    told = {"Host": "testserver", "X_Forwarded_Proto": "https"}
    answer = webchat.init(headers={"Origin": "https://testserver"} | told)

    assert answer.status_code == 200


@pytest.mark.parametrize("fields", [{}, {"consentGiven": "yes"}, {"sessionId": None}])
def test_lets_a_named_origin_read_every_answer(fields: dict[str, Any], webchat: Webchat) -> None:
    headers = webchat.init(**fields, headers={"Origin": FRIEND}).headers

    assert headers["Access-Control-Allow-Origin"] == FRIEND
    assert "Access-Control-Allow-Credentials" not in headers
    exposed = set(headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed == {"Date", "Retry-After", "Location", "X-Request-ID"}
    assert "origin" in headers["Vary"].lower()


def test_lets_a_named_origin_read_what_the_platform_broke(
    webchat: Webchat, platform: Platform
) -> None:
    platform.answers["guests"] = says(500)

    answer = webchat.init(headers={"Origin": FRIEND})

    assert answer.status_code == 503
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/nothing", {}, 404),
        (INIT, {"Host": "evil.example"}, 400),
        (INIT, {"Content_Length": "99999999"}, 413),
    ],
)
def test_lets_a_named_origin_read_early_refusals(
    path: str, headers: dict[str, str], status: int, webchat: Webchat
) -> None:
    answer = webchat.post(path, {}, Origin=FRIEND, **headers)

    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND


def preflight(webchat: Webchat, origin: str) -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return webchat.client.options(INIT, headers=asked)


def test_allows_a_named_origin_to_send_what_the_contract_names(webchat: Webchat) -> None:
    answer = preflight(webchat, FRIEND)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    allowed = set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert allowed >= {"content-type", "idempotency-key", "prefer", "x-request-id"}
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


def test_allows_other_origins_nothing(webchat: Webchat) -> None:
    answer = preflight(webchat, "https://evil.example")

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_gives_preflights_a_request_id_too(webchat: Webchat) -> None:
    assert preflight(webchat, FRIEND).headers["X-Request-ID"]
