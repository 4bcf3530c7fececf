"""The guide's page, unchanged, on a website of another origin."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from guestportal import webchat
from tests.browser.conftest import CHAT, SHOP, Web

CLIENT = f"{CHAT}/static/guestportal/webchat-1.2.0.js"


def visit(web: Web) -> Page:
    return web.open(f"{SHOP}/embedding.html")


def status(page: Page) -> Any:
    return expect(page.get_by_role("status"))


def sent_consents(web: Web) -> list[bool]:
    """What the platform was told; a call refused for a token that was revoked told nothing."""
    calls = web.sandbox.calls(endpoint="guests")
    return [call["body"]["consentGiven"] for call in calls if call["status"] != 401]


def test_sends_nothing_before_the_visitor_decides(web: Web) -> None:
    page = visit(web)

    page.wait_for_load_state("networkidle")

    status(page).to_be_empty()
    assert web.sandbox.calls() == []


def test_goes_from_consent_to_a_ready_guest(web: Web) -> None:
    page = visit(web)

    page.get_by_role("button", name="Accept").click()

    status(page).to_have_text("You are connected as Guest.")
    assert sent_consents(web) == [True]
    assert web.sandbox.count("tokens") == 1


def test_tells_a_visitor_who_declines_where_the_platform_wants_consent(web: Web) -> None:
    page = visit(web)

    page.get_by_role("button", name="Decline").click()

    status(page).to_have_text("The chat is not available without consent.")
    assert sent_consents(web) == [False]


def test_withdraws_consent(web: Web) -> None:
    page = visit(web)
    page.get_by_role("button", name="Accept").click()
    status(page).to_contain_text("You are connected")

    with page.expect_response(re.compile("/consent/withdraw$")) as answer:
        page.get_by_role("button", name="Withdraw").click()

    status(page).to_have_text("You have withdrawn your consent.")
    assert answer.value.json() == {"withdrawn": 1}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"kind": "status", "status": 400}, "The chat platform rejected the request."),
        ({"kind": "garbage"}, "The chat platform gave no usable answer."),
        ({"kind": "hang"}, "The chat platform did not answer in time."),
        ({"kind": "status", "status": 503}, "The chat platform is unavailable."),
        (
            {"endpoint": "oauth", "kind": "status", "status": 401},
            "The chat platform does not accept us.",
        ),
    ],
)
def test_says_what_went_wrong_with_the_platform(
    web: Web, fault: dict[str, Any], sentence: str
) -> None:
    web.sandbox.revoke()
    web.sandbox.faults([{"endpoint": "guests", **fault}])
    page = visit(web)

    page.get_by_role("button", name="Accept").click()

    status(page).to_have_text(sentence)


def test_says_when_the_service_cannot_be_reached(web: Web) -> None:
    page = visit(web)
    page.context.set_offline(True)

    page.get_by_role("button", name="Accept").click()

    status(page).to_have_text("The chat cannot be reached.")


def test_runs_under_the_guides_policy_without_a_violation(web: Web) -> None:
    page = web.open(f"{SHOP}/blank.html")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    page.goto(f"{SHOP}/embedding.html")
    page.get_by_role("button", name="Accept").click()
    status(page).to_contain_text("You are connected")

    assert complaints == []


IMPORT_MAP = r'<script type="importmap">.+</script>'
PRELOAD = r'<link rel="modulepreload".+>'


@pytest.mark.parametrize("left_out", [(), (PRELOAD,)], ids=["as_it_is", "without_preload"])
def test_does_not_run_a_client_that_is_not_the_one_it_was_written_for(
    web: Web, left_out: tuple[str, ...]
) -> None:
    page = visit_tampered(web, *left_out)

    page.get_by_role("button", name="Accept").click()
    page.wait_for_load_state("networkidle")

    status(page).to_be_empty()
    assert web.sandbox.calls() == []


def test_imports_no_such_client_later_on_either(web: Web) -> None:
    page = visit_tampered(web)

    outcome = page.evaluate(f"import('{CLIENT}').then(() => 'loaded', (error) => error.name)")

    assert outcome == "TypeError"


def test_runs_any_client_without_import_map_and_preload(web: Web) -> None:
    page = visit_tampered(web, IMPORT_MAP, PRELOAD)

    page.get_by_role("button", name="Accept").click()

    status(page).to_have_text("You are connected as Guest.")


def visit_tampered(web: Web, *left_out: str) -> Page:
    """Open the guide's page, without some of its lines, where the client has been changed."""
    text = (web.folder / "embedding.html").read_text()
    for line in left_out:
        text, count = re.subn(line, "", text)
        assert count == 1
    (web.folder / "tampered.html").write_text(text)
    page = web.open(f"{SHOP}/blank.html")
    page.route(CLIENT, change)
    page.goto(f"{SHOP}/tampered.html")
    return page


def change(route: Route) -> None:
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
    route.fulfill(body=f"{webchat.MODULE.read_text()}\n", headers=headers)
