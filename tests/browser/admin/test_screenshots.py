"""The pictures of docs/admin.md, which says how to make them."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from provisioning.models import GuestCreation
from tests.browser.admin.day import BAD, GOOD, JANE, long_file

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="SCREENSHOTS names no folder"),
]

PAGES = {
    "overview": "/admin/",
    "creation": "/admin/provisioning/guestcreation/{creation}/change/",
    "mapping-preview": "/admin/crm/attributemapping/1/change/",
}


@pytest.fixture
def shoot() -> Callable[..., None]:
    """Return a function that keeps what `page` shows as ``name``."""
    folder = Path(os.environ["SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)

    def shoot(page: Page, name: str, *, whole: bool = True) -> None:
        # Not whole: the height of a small laptop's window, or the folder would be megabytes.
        clip = None if whole else {"x": 0, "y": 0, "width": 1280, "height": 640}
        page.screenshot(path=folder / f"{name}.png", full_page=whole, clip=clip)

    return shoot


def test_screenshots_of_pages(sign_in, shoot):
    page = sign_in()

    for name, path in PAGES.items():
        page.goto(path.format(creation=GuestCreation.objects.first().pk))
        page.wait_for_load_state("networkidle")
        shoot(page, name)


def test_screenshots_of_a_review(sign_in, shoot):
    page = sign_in("Compliance reviewer")
    with page.expect_navigation():
        page.get_by_role("link", name=re.compile("To review")).click()
    page.get_by_label("Select all objects on this page").click()
    page.get_by_label("Action:").select_option(label="Review selected creations")
    shoot(page, "review-selected", whole=False)
    page.get_by_role("button", name="Go").click()
    page.get_by_label("In order").check()
    page.get_by_label("Reason").fill("Compared with the platform's own list")
    shoot(page, "review-reason", whole=False)


def test_screenshots_of_a_person(sign_in, shoot):
    page = sign_in("Compliance reviewer")
    page.goto("/admin/provisioning/guestcreation/person/")
    page.get_by_label("Find a person").fill(JANE)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Consent now").wait_for()
    shoot(page, "person")
    page.get_by_role("button", name="Erase…").click()
    page.get_by_label("Type the word").wait_for()
    shoot(page, "erase")


def test_screenshots_of_a_notice(sign_in, shoot):
    page = sign_in("Compliance reviewer")
    page.goto("/admin/provisioning/noticedraft/")
    page.locator("#result_list tbody th a").click()
    page.get_by_role("heading", name="Difference to the version before").wait_for()
    shoot(page, "notice")


def test_screenshots_of_an_account(sign_in, shoot):
    page = sign_in()
    for _ in range(5):
        page.request.post(
            "/admin/login/",
            form={"username": "clerk", "password": "wrong", **_csrf(page)},
            headers={"Referer": page.url},
        )
    page.goto("/admin/auth/user/")
    page.get_by_role("link", name="clerk").click()
    page.get_by_text("Locked", exact=True).wait_for()
    shoot(page, "account", whole=False)


def test_screenshots_of_an_import(sign_in, shoot, csv):
    page = sign_in("CRM administrator")
    page.get_by_role("link", name="Import a CSV file").click()

    _check(page, csv(BAD))
    page.wait_for_load_state("networkidle")
    shoot(page, "import-refused")
    _check(page, csv(GOOD))
    page.get_by_role("button", name="Import 7 records").wait_for()
    shoot(page, "import-preview")


def test_screenshots_of_a_long_import(sign_in, shoot, csv):
    page = sign_in("CRM administrator")
    page.goto("/admin/crm/crmrecord/import/")

    _check(page, csv(long_file(rows=20_000)))
    page.get_by_text(re.compile(r"Checking the file: \d,\d00 rows")).first.wait_for()
    shoot(page, "import-progress", whole=False)
    page.get_by_role("button", name="Import 20,000 records").wait_for()


def _csrf(page: Page) -> dict[str, str]:
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    return {"csrfmiddlewaretoken": token or ""}


def _check(page: Page, file: Path) -> None:
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()
