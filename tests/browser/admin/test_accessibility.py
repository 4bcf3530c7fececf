"""axe-core finds nothing serious on any page, in light and dark, wide and narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from provisioning.models import GuestCreation, NoticeDraft
from tests.browser.admin.day import BAD, GOOD, JANE, SEMICOLONS, WORKBOOK

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = (
    "/admin/",
    "/admin/provisioning/guestcreation/?tab=queue",
    "/admin/provisioning/guestcreation/?tab=followup&why=consent-assumed",
    "/admin/provisioning/guestcreation/{creation}/change/",
    "/admin/provisioning/guestcreation/person/",
    "/admin/provisioning/noticedraft/add/",
    "/admin/provisioning/noticedraft/{draft}/change/",
    "/admin/crm/crmrecord/",
    "/admin/crm/crmrecord/add/",
    "/admin/crm/crmrecord/import/",
    "/admin/crm/attributemapping/",
    "/admin/crm/attributemapping/add/",
    "/admin/crm/attributemapping/sets/",
    "/admin/mapping-preview/",
    "/admin/audit/auditevent/",
    "/admin/audit/auditevent/verify/",
    "/admin/audit/auditevent/export/",
    "/admin/audit/auditevent/keys/",
    "/admin/audit/auditseal/",
)

LOOKS = pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")]
)


def _address(path):
    creation, draft = GuestCreation.objects.first(), NoticeDraft.objects.first()
    return path.format(creation=creation.pk, draft=draft.pk)


def _serious(page):
    violations = Axe().run(page, options={"preload": False}).response["violations"]
    return [
        f"{page.url}: {each['id']}: {each['nodes'][0]['html'][:120]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]


def _too_wide(page):
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{page.url}: {width} pixels too wide"] if width > 0 else []


@LOOKS
def test_has_no_serious_finding_on_any_page(sign_in, width, scheme):
    page = sign_in(width=width, scheme=scheme, bypass_csp=True)  # axe adds styles of its own
    found = []

    for path in PAGES:
        page.goto(_address(path))
        page.wait_for_load_state("networkidle")
        found += _serious(page)

    assert found == [], "\n".join(found)


@LOOKS
def test_has_no_serious_finding_on_the_way_through_an_import(sign_in, csv, width, scheme):
    page = sign_in("CRM administrator", width=width, scheme=scheme, bypass_csp=True)
    found = []

    for file in (WORKBOOK, BAD, SEMICOLONS, GOOD):
        page.goto("/admin/crm/crmrecord/import/")
        page.get_by_label("CSV file").set_input_files(csv(file))
        page.get_by_role("button", name="Check the file").click()
        page.wait_for_load_state("networkidle")
        found += [*_serious(page), *_too_wide(page)]
    page.get_by_role("button", name="Import 7 records").click()
    page.wait_for_load_state("networkidle")

    assert found + _serious(page) == []


@LOOKS
def test_has_no_serious_finding_on_a_persons_pages(sign_in, width, scheme):
    page = sign_in("Compliance reviewer", width=width, scheme=scheme, bypass_csp=True)
    page.goto("/admin/provisioning/guestcreation/person/")
    page.get_by_label("Find a person").fill(JANE)
    page.get_by_role("button", name="Find").click()
    person, found = page.url, []

    for button in ("", "Withdraw…", "Erase…", "Export to print"):
        page.goto(person)
        if button == "Withdraw…":
            page.get_by_label("Channel").select_option("Telephone")
        if button:
            page.get_by_role("button", name=button).click()
        page.wait_for_load_state("networkidle")
        found += [*_serious(page), *_too_wide(page)]

    assert found == [], "\n".join(found)


@LOOKS
def test_has_no_serious_finding_where_a_set_of_mappings_is_restored(sign_in, width, scheme):
    page = sign_in("CRM administrator", width=width, scheme=scheme, bypass_csp=True)
    page.goto("/admin/crm/attributemapping/sets/")
    page.get_by_role("button", name="Restore the set before this change").click()
    page.get_by_role("heading", name="Difference to the set in force").wait_for()

    assert _serious(page) + _too_wide(page) == []


def test_has_no_serious_finding_on_the_way_through_a_review(sign_in):
    page = sign_in("Compliance reviewer", bypass_csp=True)
    page.goto("/admin/provisioning/guestcreation/?tab=queue")
    page.get_by_label("Select all objects on this page").click()
    page.get_by_label("Action:").select_option(label="Review selected creations")
    page.get_by_role("button", name="Go").click()
    page.wait_for_load_state("networkidle")
    found = _serious(page)

    page.get_by_label("In order").check()
    page.get_by_label("Reason").fill("Seen")
    page.get_by_role("button", name="Record 50 reviews").click()
    page.wait_for_load_state("networkidle")

    assert found + _serious(page) == []


def test_leads_past_the_header_with_the_keyboard(sign_in):
    page = sign_in()
    page.goto("/admin/provisioning/guestcreation/?tab=queue")

    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")

    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#content-start"


def test_has_no_serious_finding_where_one_signs_in(sign_in):
    page = sign_in(bypass_csp=True)
    page.get_by_role("button", name="Log out").click()
    page.goto("/admin/login/")

    assert _serious(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_never_scrolls_sideways_on_a_telephone(sign_in, path):
    page = sign_in(width=390)

    page.goto(_address(path))

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
