"""Debian's Chromium, and a service with a day's work in it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.browser.admin.day import a_day
from tests.browser.origins import CHROMIUM
from tests.support.factories import staff


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Playwright's event loop runs in this thread, where Django would refuse all work.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            # Without a GPU, whose stand-in now and then cannot take a picture.
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu"],
        )
        yield browser
        browser.close()


@pytest.fixture
def day(transactional_db: None) -> None:
    """Fill the database with what a day leaves behind."""
    a_day()


@pytest.fixture
def sign_in(
    chromium: Browser, live_server: Any, day: None, settings: Any
) -> Iterator[Callable[..., Page]]:
    """Return a function that signs somebody in with a role and returns the page they see.

    What the browser complains about, a broken content security policy above all, fails the test.
    """
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    complaints: list[str] = []
    opened = []

    def sign_in(role: str = "", *, width: int = 1280, scheme: str = "light", **how: Any) -> Page:
        user = staff(role)
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            base_url=live_server.url,
            **how,
        )
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.extend(_complaint(said)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/admin/")
        page.get_by_label("Username").fill(user.get_username())
        page.get_by_label("Password").fill("secret")
        page.get_by_role("button", name="Log in").click()
        return page

    yield sign_in
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file to be uploaded."""

    def write(content: str | bytes, name: str = "records.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def _complaint(said: ConsoleMessage) -> list[str]:
    return [f"{said.location['url']}: {said.text}"] if said.type == "error" else []
