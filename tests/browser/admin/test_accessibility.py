"""axe-core finds nothing serious on any page, in light and dark, wide and narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from provisioning.models import GuestCreation

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = (
    "/admin/",
    "/admin/provisioning/guestcreation/?tab=queue",
    "/admin/provisioning/guestcreation/{creation}/change/",
    "/admin/provisioning/guestcreation/person/",
    "/admin/crm/crmrecord/",
    "/admin/crm/crmrecord/add/",
    "/admin/crm/crmrecord/import/",
    "/admin/crm/attributemapping/",
    "/admin/crm/attributemapping/add/",
    "/admin/crm/attributemapping/sets/",
    "/admin/mapping-preview/",
    "/admin/audit/auditevent/",
    "/admin/audit/auditseal/",
)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_has_no_serious_finding_on_any_page(sign_in, width, scheme):
    page = sign_in(width=width, scheme=scheme, bypass_csp=True)  # axe adds styles of its own
    found = []

    for path in PAGES:
        page.goto(path.format(creation=GuestCreation.objects.first().pk))
        page.wait_for_load_state("networkidle")
        violations = Axe().run(page, options={"preload": False}).response["violations"]
        found += [
            f"{path}: {each['id']}: {each['nodes'][0]['html'][:120]}"
            for each in violations
            if each["impact"] in ("serious", "critical")
        ]

    assert found == [], "\n".join(found)


def test_has_no_serious_finding_where_one_signs_in(sign_in):
    page = sign_in(bypass_csp=True)
    page.get_by_role("button", name="Log out").click()
    page.goto("/admin/login/")

    violations = Axe().run(page, options={"preload": False}).response["violations"]

    assert [each["id"] for each in violations if each["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("path", PAGES)
def test_never_scrolls_sideways_on_a_telephone(sign_in, path):
    page = sign_in(width=390)

    page.goto(path.format(creation=GuestCreation.objects.first().pk))

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
