"""A website whose chat is the vendor's Messenger, or a socket of its own: the guide's modules.

The vendor is played by a stub of its widget and by a real socket (tests/browser/vendor.py).
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SHOP, Web, serve_chat
from tests.browser.origins import behind_tls, chromium, website
from tests.browser.vendor import WIDGET, MessagingSocket, messaging_socket
from tests.support.messenger import DEPLOYMENT_ID, OPTIONS, environment
from tests.support.sandbox import running_sandbox
from tests.support.service import ROOT, Service

DOMAIN = "mypurecloud.de"  # as the guide's modules have it


@pytest.fixture(scope="module")
def socket(certificate: Path) -> Iterator[MessagingSocket]:
    with messaging_socket(certificate) as socket:
        yield socket


@pytest.fixture(scope="module")
def _web(
    chat: Service,  # whose static files are collected
    shop_folder: Path,
    certificate: Path,
    socket: MessagingSocket,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("messenger")
    bootstrap = folder / "apps" / "genesys-bootstrap"
    bootstrap.mkdir(parents=True)
    (bootstrap / "genesys.min.js").write_text(WIDGET)
    for name in ("embedding-messenger.js", "embedding-socket.js"):
        shutil.copy(ROOT / "docs" / name, shop_folder)
    with running_sandbox(*OPTIONS) as sandbox:
        settings = environment(sandbox.url) | {"MESSENGER_DOMAIN": DOMAIN}
        with (
            serve_chat(folder, sandbox, **settings) as service,
            behind_tls(service.url, certificate) as front,
            website(shop_folder, certificate) as shop,
            website(folder / "apps", certificate) as apps,
        ):
            service.manage("seed_demo")  # publishes a notice, which the guide's page shows
            names = {
                "chat.example.com": front,
                "shop.example": shop,
                f"apps.{DOMAIN}": apps,
                f"webmessaging.{DOMAIN}": socket.url,
            }
            with chromium(names=names) as browser:
                yield Web(browser, sandbox, shop_folder)


def visit(web: Web, module: str, opening: str, *, sources: str) -> Page:
    """Open the guide's page with a module of its section 8, which `sources` are let in for."""
    script = (web.folder / "embedding.js").read_text()
    (web.folder / f"with-{module}").write_text(
        f'import * as opened from "./{module}";\n'
        + script.replace("  show(`", f"  {opening}\n  show(`")
    )
    page = (web.folder / "embedding.html").read_text().replace("embedding.js", f"with-{module}")
    directive = sources.split()[0]
    page = page.replace(f"{directive} ", f"{sources} ")
    (web.folder / f"{module}.html").write_text(page)
    return web.open(f"{SHOP}/{module}.html")


def with_widget(web: Web) -> Page:
    return visit(
        web,
        "embedding-messenger.js",
        "await opened.openMessenger(chat);",
        sources=f"script-src https://apps.{DOMAIN}",
    )


def with_socket(web: Web) -> Page:
    return visit(
        web,
        "embedding-socket.js",
        "window.say = opened.openSocket(chat, (told) => (window.told ??= []).push(told.class));",
        sources=f"connect-src wss://webmessaging.{DOMAIN}",
    )


def press(page: Page, button: str, *, then: str) -> None:
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("status")).to_contain_text(then)


def attributes(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate("widget.database.messaging.customAttributes")
    return found


# --- The stock Messenger ------------------------------------------------------------------------


def test_loads_nothing_of_the_vendor_s_before_the_visitor_decides(web: Web) -> None:
    page = with_widget(web)

    page.wait_for_load_state("networkidle")

    assert page.evaluate("typeof Genesys") == "undefined"


def test_tells_messenger_who_this_is_before_a_conversation_starts(web: Web) -> None:
    page = with_widget(web)

    press(page, "Accept", then="You are connected")

    (contact,) = web.sandbox.calls(endpoint="enrich")
    assert page.evaluate("widget.config") == {
        "environment": "prod-example",
        "deploymentId": DEPLOYMENT_ID,
    }
    assert page.evaluate("widget.commands") == ["Database.set"]
    assert attributes(page) == {
        "guestportal_guest_id": contact["guestId"],
        "guestportal_consent": "given",
    }


def test_tells_messenger_that_a_visitor_declined(web: Web) -> None:
    page = with_widget(web)

    press(page, "Decline", then="You are connected as Guest.")

    told = attributes(page)
    assert told["guestportal_consent"] == "declined"
    assert re.fullmatch("anon-[0-9a-f-]{36}", told["guestportal_guest_id"])
    assert web.sandbox.calls() == []


def test_clears_the_conversation_when_consent_is_withdrawn(web: Web) -> None:
    page = with_widget(web)
    press(page, "Accept", then="You are connected")

    press(page, "Withdraw", then="You have withdrawn your consent.")

    commands = ["Database.set", "Database.set", "MessagingService.clearConversation"]
    assert page.evaluate("widget.commands") == commands
    assert attributes(page)["guestportal_consent"] == "declined"


def test_gives_no_consent_back_when_messenger_is_ready_again(web: Web) -> None:
    page = with_widget(web)
    press(page, "Accept", then="You are connected")
    press(page, "Withdraw", then="You have withdrawn your consent.")

    page.evaluate("new Promise((done) => Genesys('subscribe', 'Database.ready', done))")

    assert attributes(page)["guestportal_consent"] == "declined"


def test_says_when_messenger_refuses_what_it_is_told(web: Web) -> None:
    page = with_widget(web)
    page.evaluate("window.widgetRefuses = true")

    press(page, "Accept", then="The chat window does not answer.")


def test_says_when_messenger_is_not_there(web: Web) -> None:
    page = with_widget(web)
    page.clock.install()
    page.route(f"https://apps.{DOMAIN}/**", lambda route: route.abort())

    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Accept").click()
    page.clock.fast_forward("00:20")

    expect(page.get_by_role("status")).to_have_text("The chat window does not answer.")


# --- A socket of the page's own -----------------------------------------------------------------


def test_opens_the_session_under_the_token(web: Web, socket: MessagingSocket) -> None:
    page = with_socket(web)

    press(page, "Accept", then="You are connected")

    first = socket.next_frame()
    page.wait_for_function("window.told?.[0] === 'SessionResponse'")
    token = first["token"]
    assert UUID(token).version == 4
    assert UUID(first.pop("tracingId")).version == 4
    assert first == {
        "action": "configureSession",
        "token": token,
        "deploymentId": DEPLOYMENT_ID,
        "startNew": False,
        "journeyContext": {
            "customer": {"id": token, "idType": "cookie"},
            "customerSession": {"id": "", "type": "web"},
        },
    }
    asked = socket.requests[-1]
    assert asked.startswith(f"GET /v1?deploymentId={DEPLOYMENT_ID} HTTP/1.1")
    assert f"Origin: {SHOP}" in asked


def test_sends_the_attributes_with_a_message(web: Web, socket: MessagingSocket) -> None:
    page = with_socket(web)
    press(page, "Accept", then="You are connected")
    token = socket.next_frame()["token"]
    page.wait_for_function("window.told?.length === 1")

    page.evaluate("say('Hello')")

    sent = socket.next_frame()
    told = sent["message"]["channel"]["metadata"]["customAttributes"]
    assert (sent["action"], sent["token"], sent["message"]["text"]) == ("onMessage", token, "Hello")
    assert told["guestportal_consent"] == "given"


def test_closes_the_session_when_consent_is_withdrawn(web: Web, socket: MessagingSocket) -> None:
    page = with_socket(web)
    press(page, "Accept", then="You are connected")
    token = socket.next_frame()["token"]

    press(page, "Withdraw", then="You have withdrawn your consent.")

    assert socket.next_frame() == {
        "action": "closeSession",
        "token": token,
        "closeAllConnections": True,
    }
