"""The demo page as a visitor uses it, and the API docs, under the strict policy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from guestportal.serving import organisation
from tests.browser.origins import chromium
from tests.support.messenger import environment
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.service import Service, running_service

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def platform() -> Iterator[Sandbox]:
    with running_sandbox(*organisation.OPTIONS) as sandbox:
        yield sandbox


@contextmanager
def demo(folder: Path, platform: Sandbox, **settings: str) -> Iterator[Service]:
    limits = {"GENESYS_DEADLINE": "2", "GENESYS_READ_TIMEOUT": "1"}
    with running_service(folder, platform.url, DEBUG="on", **limits, **settings) as service:
        service.manage("seed_demo")
        yield service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, platform: Sandbox) -> Iterator[Service]:
    with demo(tmp_path_factory.mktemp("demo"), platform) as service:
        yield service


@pytest.fixture(scope="module")
def on_messenger(tmp_path_factory: pytest.TempPathFactory, platform: Sandbox) -> Iterator[Service]:
    settings = environment(platform.url) | organisation.SETTINGS
    with demo(tmp_path_factory.mktemp("messenger"), platform, **settings) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, service: Service, platform: Sandbox) -> Iterator[Page]:
    """The demo page; its browser must not have complained of the policy by the end."""
    platform.reset()
    page = browser.new_context(viewport=PHONE).new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(service.url)
    yield page
    page.context.close()
    # Chromium itself notes each answer that is an error.
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []


def heading(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def test_sends_nothing_before_the_visitor_decides(page: Page) -> None:
    page.wait_for_load_state("networkidle")

    heading(page, "Before we start")
    assert page.locator(".exchange").count() == 0


def test_connects_a_known_visitor_who_accepts(page: Page) -> None:
    press(page, "Accept")

    heading(page, "You are connected")
    expect(page.locator("#chat")).to_contain_text("Hello Jane")
    expect(page.locator("#chat")).to_contain_text("jane.doe@example.com")


def test_keeps_a_visitor_who_declines_anonymous(page: Page, platform: Sandbox) -> None:
    press(page, "Decline")

    heading(page, "You are connected")
    expect(page.locator("#chat")).to_contain_text("Hello Guest")
    (guest,) = [call for call in platform.calls(endpoint="guests") if call["status"] == 201]
    assert "jane" not in str(guest["body"]).lower()


def test_shows_what_was_sent_received_and_passed_on(page: Page) -> None:
    press(page, "Accept")

    exchange = page.locator(".exchange")
    expect(exchange).to_contain_text("POST /api/webchat/init")
    expect(exchange).to_contain_text('"consentGiven": true')
    expect(exchange).to_contain_text('"guestId"')
    expect(exchange).to_contain_text("POST /api/v2/webchat/v1/guests")


def test_withdraws_and_starts_over(page: Page) -> None:
    press(page, "Accept")
    press(page, "Withdraw consent")

    heading(page, "Consent withdrawn")
    press(page, "Start over")
    heading(page, "Before we start")


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ("down", "platform_unavailable"),
        ("silent", "platform_timeout"),
        ("nonsense", "platform_protocol"),
        ("refuses", "platform_rejected"),
        ("credentials", "platform_credentials"),
        ("invalid", "invalid_request"),
        ("impatient", "timeout"),
    ],
)
def test_shows_each_trouble_by_its_code(page: Page, trouble: str, code: str) -> None:
    page.get_by_label("What goes wrong").select_option(trouble)

    press(page, "Accept")

    heading(page, "Not this time")
    expect(page.locator("#chat")).to_contain_text(code)


def test_works_by_keyboard_alone(page: Page) -> None:
    page.get_by_role("combobox").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    heading(page, "You are connected")
    assert page.evaluate("document.activeElement.textContent") == "You are connected"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    heading(page, "Consent withdrawn")


def test_fits_a_telephone(page: Page) -> None:
    press(page, "Accept")
    heading(page, "You are connected")
    expect(page.locator(".exchange")).to_contain_text("/guests")

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_shows_what_messenger_is_told_and_no_value_of_the_crm_in_it(
    page: Page, on_messenger: Service, platform: Sandbox
) -> None:
    page.goto(on_messenger.url)

    press(page, "Accept")

    heading(page, "You are connected")
    (contact,) = (call["body"]["contact"] for call in platform.calls(endpoint="enrich"))
    assert contact["customFields"]["tier_text"] == "Enterprise"
    told = page.locator('[data-show="attributes"]')
    expect(told).to_have_text(re.compile(r"consent given, guest [0-9a-f-]{36}"))


def test_calls_messenger_for_nobody_who_declines(
    page: Page, on_messenger: Service, platform: Sandbox
) -> None:
    page.goto(on_messenger.url)

    press(page, "Decline")

    heading(page, "You are connected")
    expect(page.locator("#chat")).to_contain_text("consent declined, guest anon-")
    expect(page.locator(".exchange")).to_contain_text("nothing")
    assert platform.calls() == []


def test_shows_the_api_under_the_policy(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/api/docs")

    expect(page.get_by_text("/api/webchat/init", exact=True)).to_be_visible()
    page.get_by_text("/api/webchat/init", exact=True).click()
    expect(page.get_by_text("Send the same").first).to_be_visible()
