"""Signing in through a certified identity provider, in a browser; what becomes of it later."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from audit.models import AuditEvent
from guestportal.models import StaffIdentity
from provisioning.models import Review
from tests.browser.admin.test_accessibility import serious, unseen
from tests.support.factories import creation, staff
from tests.support.identity import Identity, identity_provider

REVIEWER = {"jane": {"groups": ["reviewers"], "preferred_username": "jane.doe"}}


@pytest.fixture
def identity(transactional_db: None, live_server: Any, settings: Any) -> Iterator[Identity]:
    """The provider, with one reviewer; the service is set up for it."""
    call_command("setup_roles", verbosity=0)
    with identity_provider(
        redirect_uri=f"{live_server.url}/admin/oidc/callback",
        post_logout_uri=f"{live_server.url}/admin/login/",
    ) as identity:
        identity.control(people=REVIEWER)
        settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
        settings.ADMIN_LOGIN, settings.ADMIN_MFA = "oidc", "required"
        settings.OIDC_ISSUER = identity.issuer
        settings.OIDC_CLIENT_ID = identity.client_id
        settings.OIDC_CLIENT_SECRET = identity.client_secret
        settings.OIDC_GROUP_MAP = {"reviewers": ("Compliance reviewer",)}
        settings.OIDC_RECHECK_MINUTES = 1
        yield identity


@pytest.fixture
def browser(chromium: Browser, live_server: Any) -> Iterator[Callable[[], Page]]:
    """Return a function that opens a browser with nothing in it, at the staff pages."""
    contexts = []
    complaints: list[str] = []

    def complain(said: ConsoleMessage) -> None:
        if said.type == "error" and "status of" not in said.text:  # a page that says what is wrong
            complaints.append(said.text)

    def opened() -> Page:
        context = chromium.new_context(base_url=live_server.url)
        contexts.append(context)
        page = context.new_page()
        page.on("console", complain)
        page.goto("/admin/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []  # of the content policy above all


def sign_in(page: Page, name: str = "jane") -> None:
    page.get_by_role("link", name="Sign in with your organisation").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Sign in").click()


def a_minute_passes() -> None:
    """Let the moment of the last look at the provider be more than a minute ago."""
    StaffIdentity.objects.update(checked_at=timezone.now() - timedelta(seconds=61))


def test_a_person_signs_in_reviews_loses_the_group_and_is_out(identity, browser):
    row = creation(status="unknown", guest_id="", review_reasons="unknown")
    page = browser()

    sign_in(page)

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.goto(f"/admin/provisioning/guestcreation/{row.pk}/change/")
    page.get_by_label("In order").check()
    page.get_by_label("Reason").fill("Compared with the platform's own list")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_text("Nothing else waits here.")).to_be_visible()
    assert Review.objects.get().reviewer.identity.subject == "jane"

    identity.control(people={"jane": {"groups": ["everybody"]}})
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()  # within the minute
    a_minute_passes()
    page.goto("/admin/")

    expect(page.get_by_text("You are in no group that works here.")).to_be_visible()
    page.goto(f"/admin/provisioning/guestcreation/{row.pk}/change/")
    expect(page.get_by_role("link", name="Sign in with your organisation")).to_be_visible()
    assert not User.objects.get(identity__subject="jane").groups.exists()


def test_stays_while_the_provider_is_down_for_one_more_time_and_no_longer(identity, browser):
    page = browser()
    sign_in(page)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    identity.stop()

    a_minute_passes()
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    StaffIdentity.objects.update(checked_at=timezone.now() - timedelta(seconds=121))
    page.goto("/admin/")

    expect(page.get_by_text("cannot be reached just now")).to_be_visible()


def test_the_break_glass_account_works_with_the_provider_down(identity, browser, caplog):
    user = staff()
    call_command("enrol_mfa", user.username, stdout=StringIO())
    identity.stop()
    page = browser()

    page.get_by_role("link", name="Sign in with your organisation").click()
    expect(page.get_by_text("cannot be reached just now")).to_be_visible()
    assert "nothing listens there" in caplog.text
    page.get_by_role("link", name="Back to sign-in").click()
    expect(page.get_by_label("Password")).to_have_count(0)
    page.get_by_role("link", name="Break-glass account").click()
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill("secret")
    code = totp(TOTPDevice.objects.get(user=user).bin_key)
    page.get_by_label("One-time code").fill(f"{code:06}")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_finds_a_reason_again_that_was_typed_before_the_session_ran_out(identity, browser):
    row = creation(status="unknown", guest_id="", review_reasons="unknown")
    page = browser()
    sign_in(page)
    page.goto(f"/admin/provisioning/guestcreation/{row.pk}/change/")
    page.get_by_label("In order").check()
    page.get_by_label("Reason").fill("Jane called back, 30 € – ü")
    page.context.clear_cookies(name="sessionid")

    page.get_by_role("button", name="Record").click()
    page.get_by_role("button", name="Sign in with your organisation").click()

    expect(page.get_by_label("Reason")).to_have_value("Jane called back, 30 € – ü")
    assert not Review.objects.exists()


def test_a_callback_works_once(identity, browser):
    page = browser()
    callbacks = []
    page.on(
        "request", lambda sent: callbacks.append(sent.url) if "/callback?" in sent.url else None
    )
    cookies = []
    page.on("request", lambda _: cookies.append(page.context.cookies()))
    sign_in(page)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    thief = browser()
    thief.context.add_cookies([each for each in cookies[-1] if each["name"] != "sessionid"])
    for again in (page, thief):
        again.goto(callbacks[0])
        expect(again.get_by_text("used already")).to_be_visible()
    thief.goto("/admin/")

    expect(thief.get_by_role("link", name="Sign in with your organisation")).to_be_visible()


@pytest.mark.parametrize(
    "fault",
    [
        {"revoked": True},
        {"forge": {"aud": "another-client"}},
        {"forge": {"nonce": "another"}},
        {"forge": {"iss": "https://evil.example"}},
        {"alg": "none"},
        {"alg": "HS256"},
    ],
    ids=["revoked key", "foreign audience", "wrong nonce", "foreign issuer", "none", "HS256"],
)
def test_nobody_comes_in_by_a_token_that_cannot_be_trusted(identity, browser, fault):
    identity.control(**fault)
    page = browser()

    sign_in(page)

    expect(page.get_by_text("cannot be trusted")).to_be_visible()
    assert not User.objects.exists()


def test_says_that_the_clocks_are_apart(identity, browser):
    identity.control(forge={"iat": 1_600_000_000, "exp": 1_600_000_300})
    page = browser()

    sign_in(page)

    expect(page.get_by_text("clocks")).to_be_visible()


def test_a_new_key_of_the_provider_is_known_at_once(identity, browser):
    first = browser()
    sign_in(first)
    expect(first.get_by_role("heading", name="Overview")).to_be_visible()
    identity.control(rotate=True)

    second = browser()
    sign_in(second)

    expect(second.get_by_role("heading", name="Overview")).to_be_visible()


def test_whoever_was_disabled_there_is_out(identity, browser):
    page = browser()
    sign_in(page)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    identity.control(people={})

    a_minute_passes()
    page.goto("/admin/")

    expect(page.get_by_text("Your sign-in has run out.")).to_be_visible()
    page.goto("/admin/")
    expect(page.get_by_role("link", name="Sign in with your organisation")).to_be_visible()


def test_whoever_was_disabled_here_is_out_at_once(identity, browser):
    page = browser()
    sign_in(page)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    User.objects.update(is_active=False)

    page.goto("/admin/")
    page.get_by_role("link", name="Sign in with your organisation").click()

    expect(page.get_by_text("Your account here is deactivated.")).to_be_visible()


def test_signs_out_there_too(identity, browser):
    page = browser()
    sign_in(page)
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Yes, sign me out").click()

    page.get_by_role("link", name="Sign in with your organisation").click()

    expect(page.get_by_label("Name")).to_be_visible()  # it asks again who comes


def test_says_that_the_provider_does_not_know_where_to_send_people_back(
    identity, browser, live_server, caplog
):
    page = browser()

    page.goto(f"{live_server.url.replace('localhost', '127.0.0.1')}/admin/oidc/start")

    expect(page.get_by_text("is not set up rightly")).to_be_visible()
    assert "register the client" in caplog.text


def test_says_that_the_secret_is_wrong(identity, browser, settings, caplog):
    settings.OIDC_CLIENT_SECRET = "an older one"
    page = browser()

    sign_in(page)

    expect(page.get_by_text("is not set up rightly")).to_be_visible()
    assert "OIDC_CLIENT_ID with OIDC_CLIENT_SECRET" in caplog.text


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_anybody_can_use_the_pages_around_it(identity, chromium, live_server, width, scheme):
    context = chromium.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,  # axe adds styles of its own
    )
    page = context.new_page()
    for address in ("/admin/login/", "/admin/login/?password=1", "/admin/oidc/callback"):
        page.goto(address)
        assert [*serious(page), *unseen(page)] == []
    page.goto("/admin/login/")
    page.get_by_role("link", name="Sign in with your organisation").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name").fill("jane")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    identity.stop()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("You are still signed in at your organisation.")).to_be_visible()
    found = [*serious(page), *unseen(page)]
    context.close()

    assert found == []


def test_the_log_of_it_all_names_nobody(identity, browser):
    page = browser()
    sign_in(page)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    events = str(list(AuditEvent.objects.values_list("kind", "actor", "body")))

    assert "staff.login" in events
    assert "jane" not in events
