"""What browser tests share: Chromium, the service behind TLS, a website of another origin."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.origins import CHROMIUM, behind_tls, chromium, make_certificate, website
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.service import ROOT, Service, environment, running_service

SHOP = "https://shop.example"
CHAT = "https://chat.example.com"
STRICT_CHAT = "https://strict-chat.example.com"
expect.set_options(timeout=20_000)  # the client may be waiting for a Retry-After
IDENTITY_SECRET = "an identity secret for tests only, 0123456789"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all of this folder, and skip it with a reason where there is no Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason=f"{CHROMIUM} is not installed"))


@dataclass(frozen=True)
class Web:
    """The origins of one test module and the browser that reaches them by name."""

    browser: Browser
    sandbox: Sandbox
    folder: Path

    def open(self, url: str, **context: Any) -> Page:
        """Open `url` in a context of its own, and fail on any error of its script."""
        page = self.browser.new_context(**context).new_page()
        page.set_default_timeout(15_000)
        page.goto(url)
        return page


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def platform() -> Iterator[Sandbox]:
    with running_sandbox("--refuse-declined") as sandbox:
        yield sandbox


def serve_chat(folder: Path, platform: Sandbox, **settings: str) -> Any:
    """Run a service that lets the website in."""
    return running_service(
        folder,
        platform.url,
        ALLOWED_HOSTS="127.0.0.1,chat.example.com,strict-chat.example.com",
        CORS_ALLOWED_ORIGINS=SHOP,
        GENESYS_DEADLINE="5",
        GENESYS_READ_TIMEOUT="3",
        **settings,
    )


@pytest.fixture(scope="session")
def chat(tmp_path_factory: pytest.TempPathFactory, platform: Sandbox) -> Iterator[Service]:
    """The service at https://chat.example.com."""
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"],
        cwd=ROOT,
        env=environment(Path(), platform.url),
        check=True,
    )
    with serve_chat(tmp_path_factory.mktemp("chat"), platform) as service:
        service.manage("seed_demo")  # publishes a notice, which the guide's page shows
        yield service


@pytest.fixture(scope="session")
def strict_chat(tmp_path_factory: pytest.TempPathFactory, platform: Sandbox) -> Iterator[Service]:
    """A service that wants signatures and lets an address call it three times a second."""
    strict = {"IDENTITY_VERIFICATION": "required", "IDENTITY_SECRET": IDENTITY_SECRET}
    folder = tmp_path_factory.mktemp("strict")
    with serve_chat(folder, platform, INIT_RATE="3/s", **strict) as service:
        yield service


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The website's files: the guide's page and its script, unchanged."""
    folder = tmp_path_factory.mktemp("shop")
    for name in ("embedding.html", "embedding.js"):
        shutil.copy(ROOT / "docs" / name, folder)
    (folder / "blank.html").write_text("<!doctype html><title>blank</title>")
    return folder


@pytest.fixture(scope="module")
def _web(
    chat: Service, strict_chat: Service, platform: Sandbox, shop_folder: Path, certificate: Path
) -> Iterator[Web]:
    """Module scope: while Playwright runs, Django takes this thread for an asynchronous one."""
    with (
        website(shop_folder, certificate) as shop,
        behind_tls(chat.url, certificate) as chat_front,
        behind_tls(strict_chat.url, certificate) as strict_front,
    ):
        names = {
            "chat.example.com": chat_front,
            "strict-chat.example.com": strict_front,
            "shop.example": shop,
            "evil.example": shop,
        }
        with chromium(names=names) as browser:
            yield Web(browser, platform, shop_folder)


@pytest.fixture
def web(_web: Web) -> Iterator[Web]:
    """Browser and origins, with nothing left of the test before."""
    _web.sandbox.reset()
    yield _web
    for context in _web.browser.contexts:
        context.close()
