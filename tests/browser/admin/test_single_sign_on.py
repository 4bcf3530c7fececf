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
from playwright.sync_api import Browser, Page, expect

from audit.models import AuditEvent
from guestportal.models import StaffIdentity
from provisioning.models import GuestCreation
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

    def opened() -> Page:
        context = chromium.new_context(base_url=live_server.url)
        contexts.append(context)
        page = context.new_page()
        page.goto("/admin/")
        return page

    yield opened
    for context in contexts:
        context.close()


def sign_in(page: Page, name: str = "jane") -> None:
    page.get_by_role("link", name="Sign in with your organisation").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Sign in").click()


def a_minute_passes() -> None:
    """Let the moment of the last look at the provider be more than a minute ago."""
    StaffIdentity.objects.update(checked_at=timezone.now() - timedelta(seconds=61))


def test_a_person_signs_in_reviews_loses_the_group_and_is_out(identity, browser):
    row = creation(status="unknown", guest_id="", needs_review=True)
    page = browser()

    sign_in(page)

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.goto(f"/admin/provisioning/guestcreation/{row.pk}/change/")
    page.get_by_label("Needs follow-up").check()
    page.locator("[name=reason]").fill("Asked the vendor.")
    page.get_by_role("button", name="Record", exact=False).first.click()
    expect(page.get_by_text("Asked the vendor.").first).to_be_visible()

    identity.control(people={"jane": {"groups": ["everybody"]}})
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()  # within the minute
    a_minute_passes()
    page.goto("/admin/")

    expect(page.get_by_text("You are in no group that works here.")).to_be_visible()
    page.goto(f"/admin/provisioning/guestcreation/{row.pk}/change/")
    expect(page.get_by_role("link", name="Sign in with your organisation")).to_be_visible()
    assert not User.objects.get(identity__subject="jane").groups.exists()
