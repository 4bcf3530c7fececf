"""webchat.js on a website of another origin: retries, renewal, errors, memory."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, Request

from tests.browser.conftest import CHAT, SHOP, STRICT_CHAT, Web
from tests.support.service import ROOT

MODULE = f"{CHAT}/static/guestportal/webchat-1.2.0.js"
GUIDE = (ROOT / "docs" / "embedding.md").read_text()

# Runs a piece of script with `client` (the module) and returns its value, or the error's parts.
TRY = f"""async (script) => {{
  const client = await import("{MODULE}");
  const endpoint = "{CHAT}";
  try {{
    return await eval(`(async () => {{ ${{script}} }})()`);
  }} catch ({{ name, code, status, message, retryAfter, requestId }}) {{
    return {{ name, code, status, message, retryAfter, requestId }};
  }}
}}"""


def shop(web: Web) -> Page:
    return web.open(f"{SHOP}/blank.html")


def posts(page: Page) -> list[Request]:
    """The list that every POST of the page from now on is added to."""
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request) if request.method == "POST" else None)
    return seen


def test_makes_a_session_of_its_own_where_none_is_given(web: Web) -> None:
    session = shop(web).evaluate(
        TRY, "return (await client.init({ endpoint, consent: true })).session"
    )

    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", session)


def test_asks_for_a_decision_instead_of_assuming_one(web: Web) -> None:
    page = shop(web)
    sent = posts(page)

    error = page.evaluate(TRY, "return await client.init({ endpoint })")

    assert error["name"] == "TypeError"
    assert sent == []


def test_tries_again_after_retry_after_with_the_same_key(web: Web) -> None:
    web.sandbox.faults(
        [{"endpoint": "guests", "call": 1, "kind": "status", "status": 429,
          "headers": {"Retry-After": "2"}}]
    )  # fmt: skip
    page = shop(web)
    sent = posts(page)

    guest = page.evaluate(TRY, "return (await client.init({ endpoint, consent: true })).guestId")

    assert isinstance(guest, str)
    assert len({request.headers["idempotency-key"] for request in sent}) == 1
    assert web.sandbox.stats()["guestsCreated"] == 1


def test_says_at_once_when_retry_after_is_later_than_its_time(web: Web) -> None:
    page = shop(web)
    page.route(
        "**/api/webchat/init",
        lambda route: route.fulfill(
            status=503,
            headers={
                "Retry-After": "30",
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Expose-Headers": "Retry-After",
            },
            json={"error": "Busy.", "code": "platform_busy", "requestId": "r1"},
        ),
    )
    sent = posts(page)

    error = page.evaluate(TRY, "return await client.init({ endpoint, consent: true })")

    assert error == {
        "name": "WebchatError",
        "code": "platform_busy",
        "status": 503,
        "message": "Busy.",
        "retryAfter": 30,
        "requestId": "r1",
    }
    assert len(sent) == 1


def test_does_not_repeat_what_may_have_made_a_guest(web: Web) -> None:
    web.sandbox.faults([{"endpoint": "guests", "kind": "hang"}])
    page = shop(web)
    sent = posts(page)

    error = page.evaluate(TRY, "return await client.init({ endpoint, consent: true })")

    assert error["code"] == "platform_timeout"
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("signal: AbortSignal.abort()", "aborted"),
        ("session: 'x'.repeat(257)", "invalid_request"),
        (f"endpoint: '{STRICT_CHAT}'", "identity_required"),
        (f"endpoint: '{SHOP}', tries: 1", "bad_answer"),
        ("endpoint: 'https://127.0.0.1:9', tries: 1", "network"),
    ],
)
def test_names_every_way_to_fail_by_its_code(web: Web, options: str, code: str) -> None:
    error = shop(web).evaluate(
        TRY, f"return await client.init({{ endpoint, consent: true, {options} }})"
    )

    assert error["name"] == "WebchatError"
    assert error["code"] == code


def test_waits_no_longer_than_it_was_told(web: Web) -> None:
    page = shop(web)
    page.route("**/api/webchat/init", lambda route: None)  # never answered

    error = page.evaluate(TRY, "return await client.init({ endpoint, consent: true, timeout: 50 })")

    assert (error["name"], error["code"]) == ("WebchatError", "timeout")


def test_tells_a_page_that_calls_too_often(web: Web) -> None:
    script = f"""const again = () =>
          client.withdraw({{ endpoint: "{STRICT_CHAT}", session: "s", tries: 1 }});
        const results = await Promise.allSettled(Array.from({{ length: 12 }}, again));
        throw results.find(({{ reason }}) => reason?.code === "rate_limited").reason;"""

    error = shop(web).evaluate(TRY, script)

    assert error["code"] == "rate_limited"
    assert error["retryAfter"] >= 1


def test_renews_the_token_before_it_expires(web: Web) -> None:
    page = shop(web)
    page.clock.install()
    page.evaluate(
        TRY,
        "window.tokens = [];"
        "await client.init({ endpoint, consent: true, onToken: (token) => tokens.push(token) })",
    )

    with page.expect_response(f"{CHAT}/api/webchat/token"):
        page.clock.fast_forward("59:30")
    page.wait_for_function("tokens.length === 2")

    first, second = page.evaluate("tokens")
    assert first != second


@pytest.mark.parametrize("hours", [-1, 1])
def test_hands_out_no_ended_token_on_a_computer_whose_clock_is_wrong(web: Web, hours: int) -> None:
    page = shop(web)
    page.clock.install(time=time.time() + hours * 3600)
    page.evaluate(TRY, "window.chat = await client.init({ endpoint, consent: true }); return 1")
    sent = posts(page)

    before = page.evaluate("chat.token()")
    early = list(sent)
    page.clock.fast_forward("59:30")
    after = page.evaluate("chat.token()")

    assert early == []
    assert before != after


def test_looks_again_when_the_computer_wakes(web: Web) -> None:
    page = shop(web)
    page.clock.install()
    page.evaluate(TRY, "window.chat = await client.init({ endpoint, consent: true }); return 1")

    page.clock.set_system_time(time.time() + 3600)  # no timer has run meanwhile
    with page.expect_response(f"{CHAT}/api/webchat/token"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_renews_once_however_many_ask(web: Web) -> None:
    page = shop(web)
    page.clock.install()
    page.evaluate(TRY, "window.chat = await client.init({ endpoint, consent: true }); return 1")
    sent = posts(page)

    page.clock.fast_forward("59:30")
    tokens = page.evaluate("Promise.all([chat.token(), chat.token(), chat.token()])")

    assert len(set(tokens)) == 1
    assert len(sent) == 1


def test_ends_with_the_consent(web: Web) -> None:
    page = shop(web)
    page.clock.install()

    error = page.evaluate(
        TRY,
        """window.chat = await client.init({ endpoint, consent: true });
        window.withdrawn = await chat.withdraw();
        return await chat.token()""",
    )
    sent = posts(page)
    page.clock.fast_forward("59:30")

    assert error["code"] == "closed"
    assert page.evaluate("[withdrawn, chat.accessToken]") == [1, None]
    assert sent == []


def test_withdraws_for_a_session_whose_chat_is_gone(web: Web) -> None:
    script = """await client.init({ endpoint, consent: true, session: "reloaded" });
        return await client.withdraw({ endpoint, session: "reloaded" })"""

    withdrawn = shop(web).evaluate(TRY, script)

    assert withdrawn >= 1


def test_asks_the_websites_backend_for_a_signature(web: Web) -> None:
    page = shop(web)
    script = f"""return await client.init({{ endpoint: "{CHAT}", consent: true,
        session: "s", signature: async (session) => "signed-" + session }})"""

    with page.expect_request(f"{CHAT}/api/webchat/init") as sent:
        page.evaluate(TRY, script)

    assert sent.value.post_data_json["sessionSignature"] == "signed-s"


def test_stores_nothing(web: Web) -> None:
    page = shop(web)

    page.evaluate(TRY, "await client.init({ endpoint, consent: true })")

    state: dict[str, Any] = page.context.storage_state(indexed_db=True)
    assert state == {"cookies": [], "origins": []}
    assert page.evaluate("sessionStorage.length") == 0


def test_gives_classic_scripts_the_same_functions_by_the_guides_module(web: Web) -> None:
    (module,) = re.findall(
        r"^```js\n(import \* as guestportal.+?)```", GUIDE, re.DOTALL | re.MULTILINE
    )
    (web.folder / "global.js").write_text(module)
    (web.folder / "global.html").write_text('<script type="module" src="global.js"></script>')
    page = web.open(f"{SHOP}/global.html")

    guest = page.evaluate(
        f'guestportal.init({{ endpoint: "{CHAT}", consent: true }}).then((chat) => chat.guestId)'
    )

    assert isinstance(guest, str)
