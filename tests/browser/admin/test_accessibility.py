"""axe-core finds nothing serious on any page, in light and dark, wide and narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect

from audit.models import AuditEvent, AuditSeal
from crm.models import ApiToken, AttributeMapping, CrmRecord
from provisioning.models import GuestCreation, LegalHold, Notice, NoticeDraft, PlatformDeletion
from tests.browser.admin.day import BAD, GOOD, JANE, SEMICOLONS, WORKBOOK

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = (
    "/admin/",
    "/admin/provisioning/guestcreation/?tab=queue",
    "/admin/provisioning/guestcreation/?tab=followup&why=consent-assumed",
    "/admin/provisioning/guestcreation/{creation}/change/",
    "/admin/provisioning/guestcreation/person/",
    "/admin/provisioning/legalhold/",
    "/admin/provisioning/notice/",
    "/admin/provisioning/notice/{notice}/change/",
    "/admin/provisioning/noticedraft/",
    "/admin/provisioning/noticedraft/add/",
    "/admin/provisioning/noticedraft/{draft}/change/",
    "/admin/provisioning/platformdeletion/",
    "/admin/provisioning/platformdeletion/{deletion}/change/",
    "/admin/crm/apitoken/",
    "/admin/crm/apitoken/add/",
    "/admin/crm/crmrecord/",
    "/admin/crm/crmrecord/add/",
    "/admin/crm/crmrecord/import/",
    "/admin/crm/crmrecord/{record}/change/",
    "/admin/crm/attributemapping/",
    "/admin/crm/attributemapping/add/",
    "/admin/crm/attributemapping/sets/",
    "/admin/crm/attributemapping/{mapping}/change/",
    "/admin/mapping-preview/",
    "/admin/audit/auditevent/",
    "/admin/audit/auditevent/{event}/change/",
    "/admin/audit/auditevent/verify/",
    "/admin/audit/auditevent/export/",
    "/admin/audit/auditevent/keys/",
    "/admin/audit/auditseal/",
    "/admin/audit/auditseal/{seal}/change/",
    "/admin/auth/group/",
    "/admin/auth/group/{group}/change/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/user/{user}/change/",
    "/admin/auth/user/{user}/history/",
    "/admin/auth/user/{user}/password/",
    "/admin/otp_totp/totpdevice/",
    "/admin/otp_totp/totpdevice/{device}/change/",
)
CONFIRMATIONS = (
    "/admin/auth/group/{group}/delete/",
    "/admin/auth/user/{user}/delete/",
    "/admin/auth/user/{user}/unlock/",
    "/admin/crm/apitoken/{token}/delete/",
    "/admin/crm/attributemapping/{mapping}/delete/",
    "/admin/crm/crmrecord/{record}/delete/",
    "/admin/otp_totp/totpdevice/{device}/delete/",
    "/admin/provisioning/legalhold/{hold}/delete/",
    "/admin/provisioning/noticedraft/{draft}/delete/",
    "/admin/provisioning/noticedraft/{draft}/publish/",
)
MENUS = {
    "/admin/provisioning/noticedraft/": "Publish: it can never be changed again",
    "/admin/provisioning/platformdeletion/": "These guests are deleted on the platform",
    "/admin/crm/crmrecord/": "Delete selected CRM records",
}

# Texts for screen readers alone are a pixel wide; a table is not to be scrolled where it is cards.
CUT_OFF = """() => [...document.querySelectorAll("main *")].filter((each) => {
  const {overflowX, visibility} = getComputedStyle(each);
  const isCards = innerWidth <= 640 && each.matches(".cards");
  const hides = isCards || ["hidden", "clip"].includes(overflowX);
  return hides && visibility === "visible" && each.clientWidth > 1 && each.textContent.trim()
    && !each.matches("input, select, textarea") && each.scrollWidth > each.clientWidth + 1;
}).map((each) => each.outerHTML.slice(0, 120))"""

LOOKS = pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")]
)


def _address(path):
    kinds = {
        "creation": GuestCreation, "draft": NoticeDraft, "group": Group, "user": User,
        "token": ApiToken, "mapping": AttributeMapping, "record": CrmRecord, "hold": LegalHold,
        "device": TOTPDevice, "notice": Notice, "deletion": PlatformDeletion,
        "event": AuditEvent, "seal": AuditSeal,
    }  # fmt: skip
    return path.format(
        **{name: kind.objects.values_list("pk", flat=True).first() for name, kind in kinds.items()}
    )


def serious(page):
    violations = Axe().run(page, options={"preload": False}).response["violations"]
    return [
        f"{page.url}: {each['id']}: {each['nodes'][0]['html'][:120]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]


def unseen(page):
    """Return what of a page nobody can see: wider than the window, or cut off with no scrolling."""
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    wide = [f"{page.url}: {width} pixels too wide"] if width > 0 else []
    return wide + [f"{page.url}: cut off: {each}" for each in page.evaluate(CUT_OFF)]


@LOOKS
def test_has_no_serious_finding_on_any_page(sign_in, width, scheme):
    page = sign_in(width=width, scheme=scheme, bypass_csp=True)  # axe adds styles of its own
    found = []

    for path in PAGES:
        page.goto(_address(path))
        page.wait_for_load_state("networkidle")
        found += [*serious(page), *unseen(page)]

    assert found == [], "\n".join(found)


@LOOKS
def test_has_no_serious_finding_where_something_is_to_be_confirmed(sign_in, width, scheme):
    page = sign_in(width=width, scheme=scheme, bypass_csp=True)
    found = []

    for path in CONFIRMATIONS:
        page.goto(_address(path))
        expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
        found += [*serious(page), *unseen(page)]
    for path, action in MENUS.items():
        page.goto(path)
        page.get_by_role("checkbox", name="Select this object").first.check()
        page.get_by_label("Action:").select_option(label=action)
        page.get_by_role("button", name="Go").click()
        expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
        found += [*serious(page), *unseen(page)]

    assert found == [], "\n".join(found)


@LOOKS
def test_has_no_serious_finding_in_the_documentation_of_the_api(sign_in, width, scheme):
    page = sign_in(width=width, scheme=scheme, bypass_csp=True)
    page.goto("/api/docs")
    for name in ("Webchat-webchat_init", "CRM-crm_replace"):
        operation = page.locator(f"#operations-{name}")
        operation.locator(".opblock-summary-control").click()
        expect(operation.get_by_role("heading", name="Responses")).to_be_visible()

    shade = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (shade == "rgb(28, 32, 34)") is (scheme == "dark")
    assert serious(page) + unseen(page) == []


@LOOKS
def test_has_no_serious_finding_on_the_way_through_an_import(sign_in, csv, width, scheme):
    page = sign_in("CRM administrator", width=width, scheme=scheme, bypass_csp=True)
    found = []

    for file in (WORKBOOK, BAD, SEMICOLONS, GOOD):
        page.goto("/admin/crm/crmrecord/import/")
        page.get_by_label("CSV file").set_input_files(csv(file))
        page.get_by_role("button", name="Check the file").click()
        page.wait_for_load_state("networkidle")
        found += [*serious(page), *unseen(page)]
    page.get_by_role("button", name="Import 7 records").click()
    page.wait_for_load_state("networkidle")

    assert found + serious(page) == []


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
        found += [*serious(page), *unseen(page)]

    assert found == [], "\n".join(found)


@LOOKS
def test_has_no_serious_finding_where_a_set_of_mappings_is_restored(sign_in, width, scheme):
    page = sign_in("CRM administrator", width=width, scheme=scheme, bypass_csp=True)
    page.goto("/admin/crm/attributemapping/sets/")
    page.get_by_role("button", name="Restore the set before this change").click()
    page.get_by_role("heading", name="Difference to the set in force").wait_for()

    assert serious(page) + unseen(page) == []


def test_has_no_serious_finding_on_the_way_through_a_review(sign_in):
    page = sign_in("Compliance reviewer", bypass_csp=True)
    page.goto("/admin/provisioning/guestcreation/?tab=queue")
    page.get_by_label("Select all objects on this page").click()
    page.get_by_label("Action:").select_option(label="Review selected creations")
    page.get_by_role("button", name="Go").click()
    page.wait_for_load_state("networkidle")
    found = serious(page)

    page.get_by_label("In order").check()
    page.get_by_label("Reason").fill("Seen")
    page.get_by_role("button", name="Record 50 reviews").click()
    page.wait_for_load_state("networkidle")

    assert found + serious(page) == []


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

    assert serious(page) == []
