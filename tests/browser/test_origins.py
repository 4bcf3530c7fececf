"""The origin rule as a browser meets it: what a page of each origin may send, and read."""

import json
from typing import Any

import pytest

from tests.browser.conftest import CHAT, SHOP, STRICT_CHAT, Web
from tests.support.service import Service

INIT = f"{CHAT}/api/webchat/init"
EVIL = "https://evil.example"
BODY = {"sessionId": "origin-test", "consentGiven": True}
JSON_TYPE = {"Content-Type": "application/json"}

# What a page does with fetch, and all that the browser lets it see of the answer.
FETCH = """async ([url, request]) => {
  try {
    const response = await fetch(url, request);
    const headers = Object.fromEntries(response.headers);
    return { status: response.status, headers, body: await response.json() };
  } catch (error) {
    return { error: error.name };
  }
}"""


def call(web: Web, origin: str, url: str, body: Any = BODY, **headers: str) -> dict[str, Any]:
    named = JSON_TYPE | {name.replace("_", "-"): value for name, value in headers.items()}
    request = {"method": "POST", "headers": named, "body": json.dumps(body)}
    return web.open(f"{origin}/blank.html").evaluate(FETCH, [url, request])


def test_an_allowed_origin_reads_the_answer(web: Web) -> None:
    answer = call(web, SHOP, INIT)

    assert answer["status"] == 200
    assert answer["body"]["guestId"]


def test_an_allowed_origin_may_send_the_headers_of_the_contract(web: Web) -> None:
    answer = call(
        web,
        SHOP,
        INIT,
        Idempotency_Key="key-1",
        Prefer="wait=5",
        X_Request_ID="from-the-shop",
    )

    assert answer["status"] == 200
    assert answer["headers"]["x-request-id"] == "from-the-shop"


def test_an_allowed_origin_may_send_no_further_header(web: Web) -> None:
    answer = call(web, SHOP, INIT, X_Other="1")

    assert answer == {"error": "TypeError"}
    assert web.sandbox.calls() == []


@pytest.mark.parametrize(
    ("url", "body", "status", "code"),
    [
        (INIT, {}, 400, "invalid_request"),
        (INIT, {**BODY, "consentGiven": False}, 403, "consent_declined"),
        (f"{CHAT}/api/webchat/token", {**BODY, "guestId": "no-such"}, 404, "not_found"),
        (f"{CHAT}/api/webchat/nothing", {}, 404, "not_found"),
        (INIT, {**BODY, "pad": "x" * 65_536}, 413, "too_large"),
        (f"{STRICT_CHAT}/api/webchat/init", BODY, 403, "identity_required"),
    ],
)
def test_an_allowed_origin_reads_errors_too(
    web: Web, url: str, body: Any, status: int, code: str
) -> None:
    answer = call(web, SHOP, url, body)

    assert answer["status"] == status
    assert answer["body"]["code"] == code
    assert answer["headers"]["x-request-id"] == answer["body"]["requestId"]


def test_an_allowed_origin_reads_when_to_come_back(web: Web) -> None:
    web.sandbox.faults([{"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}])
    web.sandbox.revoke()

    answer = call(web, SHOP, INIT)

    assert answer["body"]["code"] in ("platform_busy", "platform_unavailable")
    assert int(answer["headers"]["retry-after"]) >= 1


def test_the_services_own_pages_need_no_permission(web: Web, chat: Service) -> None:
    page = web.open(f"{chat.url}/api/schema")
    request = {"method": "POST", "headers": JSON_TYPE, "body": json.dumps(BODY)}

    answer = page.evaluate(FETCH, ["/api/webchat/init", request])

    assert answer["status"] == 200


def test_another_origin_is_kept_out_before_any_work(web: Web) -> None:
    answer = call(web, EVIL, INIT)

    assert answer == {"error": "TypeError"}
    assert web.sandbox.calls() == []


def test_another_origin_is_refused_where_the_browser_asks_no_permission_first(web: Web) -> None:
    page = web.open(f"{EVIL}/blank.html")
    request = {"method": "POST", "mode": "no-cors", "body": json.dumps(BODY)}

    with page.expect_response(INIT) as seen:
        page.evaluate("([url, request]) => fetch(url, request)", [INIT, request])

    assert seen.value.status == 403
    assert web.sandbox.calls() == []


def test_a_page_without_an_origin_is_another_origin(web: Web) -> None:
    page = web.open("data:text/html,<title>nowhere</title>")
    request = {"method": "POST", "mode": "no-cors", "body": json.dumps(BODY)}

    with page.expect_response(INIT) as seen:
        page.evaluate("([url, request]) => fetch(url, request)", [INIT, request])

    assert page.evaluate("origin") == "null"
    assert seen.value.status == 403


def test_cookies_stay_at_home(web: Web) -> None:
    page = web.open(f"{SHOP}/blank.html")
    request = {"method": "POST", "headers": JSON_TYPE, "body": "{}", "credentials": "include"}

    answer = page.evaluate(FETCH, [INIT, request])

    assert answer == {"error": "TypeError"}


def test_any_origin_may_load_the_client_under_its_integrity_hash(web: Web) -> None:
    page = web.open(f"{EVIL}/blank.html")

    version = page.evaluate(
        f"""async () => (await import("{CHAT}/static/guestportal/webchat-1.2.0.js")).version"""
    )

    assert version == "1.1.0"
