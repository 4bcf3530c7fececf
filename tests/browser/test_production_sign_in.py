"""Signing in at the production server, behind TLS, with its own processes and settings."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import CHAT
from tests.browser.origins import behind_tls, chromium
from tests.support.identity import Identity, identity_provider
from tests.support.sandbox import Sandbox
from tests.support.service import ROOT, Service, environment, new_service

_A_MINUTE_PASSES = """
from datetime import timedelta
from guestportal.models import StaffIdentity
row = StaffIdentity.objects.get()
row.checked_at -= timedelta(seconds=61)
row.save()
"""


@pytest.fixture
def identity() -> Iterator[Identity]:
    with identity_provider(
        redirect_uri=f"{CHAT}/admin/oidc/callback", post_logout_uri=f"{CHAT}/admin/login/"
    ) as identity:
        identity.control(people={"jane": {"groups": ["reviewers"]}})
        yield identity


@pytest.fixture
def service(identity: Identity, platform: Sandbox, tmp_path: Path) -> Iterator[Service]:
    """The service as `make serve` runs it, set up for the provider by its environment alone."""
    service = new_service(
        tmp_path,
        platform.url,
        ALLOWED_HOSTS="127.0.0.1,chat.example.com",
        # What stands in front of it says nothing; whoever asks for this host came over TLS.
        SECURE_PROXY_SSL_HEADER="HTTP_HOST=chat.example.com",
        CSRF_TRUSTED_ORIGINS=CHAT,
        ADMIN_LOGIN="oidc",
        OIDC_ISSUER=identity.issuer,
        OIDC_CLIENT_ID=identity.client_id,
        OIDC_CLIENT_SECRET=identity.client_secret,
        OIDC_GROUP_MAP="reviewers=Compliance reviewer",
        OIDC_RECHECK_MINUTES="1",
    )
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    subprocess.run(collect, cwd=ROOT, env=environment(Path(), platform.url), check=True)
    try:
        service.manage("migrate", "--verbosity=0")
        service.manage("setup_roles")
        service.start_web()
        yield service
    finally:
        service.kill()


@pytest.fixture
def page(service: Service, certificate: Path) -> Iterator[Page]:
    with (
        behind_tls(service.url, certificate) as front,
        chromium(names={"chat.example.com": front}) as browser,
    ):
        page = browser.new_page()
        page.goto(f"{CHAT}/admin/")
        yield page


def test_a_person_comes_in_goes_on_and_is_out_without_the_group(identity, service, page):
    page.get_by_role("link", name="Sign in with your organisation").click()
    page.get_by_label("Name").fill("jane")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    service.manage("shell", "--no-imports", "-c", _A_MINUTE_PASSES)
    page.reload()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    identity.control(people={"jane": {"groups": []}})
    service.manage("shell", "--no-imports", "-c", _A_MINUTE_PASSES)
    page.reload()
    expect(page.get_by_text("You are in no group that works here.")).to_be_visible()

    assert "none of their groups is in OIDC_GROUP_MAP" in service.log
    assert "jane" not in service.log
