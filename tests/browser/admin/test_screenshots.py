"""Pictures for the docs: ``SCREENSHOTS=docs/screenshots pytest tests/browser/admin -k shots``."""

import os
from pathlib import Path

import pytest

from provisioning.models import GuestCreation

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = {
    "dashboard": "/admin/",
    "review-queue": "/admin/provisioning/guestcreation/?tab=queue",
    "creation": "/admin/provisioning/guestcreation/{creation}/change/",
    "crm-records": "/admin/crm/crmrecord/",
    "crm-import": "/admin/crm/crmrecord/import/",
    "mappings": "/admin/crm/attributemapping/",
    "mapping-preview": "/admin/crm/attributemapping/1/change/",
    "mapping-history": "/admin/crm/attributemapping/sets/",
    "audit-log": "/admin/audit/auditevent/",
}


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="SCREENSHOTS names no folder")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_screenshots(sign_in, width, scheme):
    folder = Path(os.environ["SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    page = sign_in(width=width, scheme=scheme)

    for name, path in PAGES.items():
        page.goto(path.format(creation=GuestCreation.objects.first().pk))
        page.wait_for_load_state("networkidle")
        page.screenshot(
            path=folder / f"{name}-{width}-{scheme}.png",
            full_page=name not in ("review-queue", "audit-log"),
        )
