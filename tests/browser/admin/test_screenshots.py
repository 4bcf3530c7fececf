"""Pictures for the docs: ``SCREENSHOTS=docs/screenshots pytest tests/browser/admin -k shots``."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from provisioning.models import GuestCreation
from tests.browser.admin.day import BAD, GOOD, long_file

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="SCREENSHOTS names no folder"),
    pytest.mark.parametrize("scheme", ["light", "dark"]),
    pytest.mark.parametrize("width", [1280, 390]),
]

PAGES = {
    "dashboard": "/admin/",
    "creation": "/admin/provisioning/guestcreation/{creation}/change/",
    "crm-records": "/admin/crm/crmrecord/",
    "mappings": "/admin/crm/attributemapping/",
    "mapping-preview": "/admin/crm/attributemapping/1/change/",
    "mapping-history": "/admin/crm/attributemapping/sets/",
    "audit-log": "/admin/audit/auditevent/",
}


@pytest.fixture
def shoot(width: int, scheme: str) -> Callable[..., None]:
    """Return a function that keeps what `page` shows as ``name``."""
    folder = Path(os.environ["SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)

    def shoot(page: Page, name: str, *, whole: bool = True) -> None:
        # Not whole: the height of a small laptop's window, or the folder would be megabytes.
        clip = None if whole else {"x": 0, "y": 0, "width": width, "height": 640}
        path = folder / f"{name}-{width}-{scheme}.png"
        page.screenshot(path=path, full_page=whole, clip=clip)

    return shoot


def test_screenshots_of_pages(sign_in, shoot, width, scheme):
    page = sign_in(width=width, scheme=scheme)

    for name, path in PAGES.items():
        page.goto(path.format(creation=GuestCreation.objects.first().pk))
        page.wait_for_load_state("networkidle")
        shoot(page, name, whole=name != "audit-log")


def test_screenshots_of_a_review(sign_in, shoot, width, scheme):
    page = sign_in("Compliance reviewer", width=width, scheme=scheme)  # the dashboard, see above
    page.get_by_role("link", name=re.compile("To review")).click()
    page.get_by_label("Select all objects on this page").click()
    page.get_by_label("Action:").select_option(label="Review selected creations")
    shoot(page, "review-1-selected", whole=False)
    page.get_by_role("button", name="Go").click()
    page.get_by_label("Reason").fill("Compared with the platform's own list")
    shoot(page, "review-2-reason", whole=False)
    page.get_by_role("button", name="Record 50 reviews").click()
    page.get_by_text("Reviews recorded: 50").wait_for()
    shoot(page, "review-3-recorded", whole=False)


def test_screenshots_of_an_import(sign_in, shoot, csv, width, scheme):
    page = sign_in("CRM administrator", width=width, scheme=scheme)
    shoot(page, "import-1-overview", whole=False)

    page.get_by_role("link", name="Import a CSV file").click()
    shoot(page, "import-2-upload")
    _check(page, csv(BAD))
    shoot(page, "import-3-refused")
    _check(page, csv(GOOD))
    shoot(page, "import-4-preview")
    page.get_by_role("button", name="Import 7 records").click()
    page.get_by_text("Imported: 7 new").wait_for()
    shoot(page, "import-5-imported")


def test_screenshots_of_a_long_import(sign_in, shoot, csv, width, scheme):
    page = sign_in("CRM administrator", width=width, scheme=scheme)
    page.goto("/admin/crm/crmrecord/import/")

    page.get_by_label("CSV file").set_input_files(csv(long_file(rows=20_000)))
    page.get_by_role("button", name="Check the file").click()
    page.get_by_text(re.compile(r"Checking the file: \d,\d00 rows")).first.wait_for()
    shoot(page, "import-6-long", whole=False)
    page.get_by_role("button", name="Import 20,000 records").wait_for()


def test_screenshots_of_the_sign_in(sign_in, shoot, width, scheme):
    page = sign_in(width=width, scheme=scheme)
    page.get_by_role("button", name="Log out").click()

    page.goto("/admin/login/")
    shoot(page, "sign-in", whole=False)


def _check(page: Page, file: Path) -> None:
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()
    page.wait_for_load_state("networkidle")
