"""The two roles' mornings, with a browser: reviewing a batch, importing a corrected file."""

import re

import pytest
from playwright.sync_api import expect

from crm.models import AttributeMapping, CrmRecord
from provisioning.models import Review
from tests.browser.admin.day import BAD, GOOD, JANE, SEMICOLONS, TABS, WESTERN, WORKBOOK, long_file

pytestmark = pytest.mark.django_db(transaction=True)

# A page that is still coming in changes under the reader; this remembers each bar that was there.
KEEP_WHAT_IS_SHOWN = """
window.shown = [];
new MutationObserver(() => {
  const bars = [...document.querySelectorAll("label:has(progress)")];
  for (const bar of bars.filter((each) => each.checkVisibility()))
    shown.push(bar.innerText.replace(/\\s+/g, " ").trim());
}).observe(document, {childList: true, subtree: true});
"""


def test_reviews_a_batch_of_fifty_with_seven_clicks(sign_in):
    page = sign_in("Compliance reviewer")

    with page.expect_navigation():  # what selects all is there once the list is
        page.get_by_role("link", name=re.compile("To review")).click()  # 1
    page.get_by_label("Select all objects on this page").click()  # 2
    page.get_by_label("Action:").select_option(label="Review selected creations")  # 3
    page.get_by_role("button", name="Go").click()  # 4
    expect(page.get_by_role("row", name="Consent assumed 25")).to_be_visible()
    page.get_by_label("In order").check()  # 5
    page.get_by_label("Reason").fill("Compared with the platform's own list")
    page.get_by_role("button", name="Record 50 reviews").click()  # 6

    expect(page.get_by_text("Reviews recorded: 50")).to_be_visible()
    assert Review.objects.count() == 50


def test_reviews_a_batch_with_the_keyboard_alone(sign_in):
    page = sign_in("Compliance reviewer")

    page.get_by_role("link", name=re.compile("To review")).focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.get_by_label("Select all objects on this page").focus()
    page.keyboard.press("Space")
    page.get_by_label("Action:").focus()
    page.keyboard.press("R")
    page.get_by_role("button", name="Go").focus()
    page.keyboard.press("Enter")
    page.get_by_label("In order").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Compared with the platform's own list")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Reviews recorded: 50")).to_be_visible()


def test_records_all_that_waits_one_by_one_in_one_sitting(sign_in):
    page = sign_in("Compliance reviewer")
    page.get_by_role("link", name=re.compile("To review")).click()
    page.locator("#result_list th a").first.click()

    for left in range(49, -1, -1):
        expect(page.get_by_role("heading", name="Why it waits for review")).to_be_visible()
        page.get_by_label("In order").check()
        page.get_by_label("Reason").fill("Compared with the platform's own list")
        name = f"Record and next ({left} left)" if left else "Record"
        page.get_by_role("button", name=name, exact=True).click()

    expect(page.get_by_text("Nothing else waits here.")).to_be_visible()
    assert Review.objects.count() == 50


def test_finds_a_reason_again_that_was_typed_before_the_session_ran_out(sign_in):
    page = sign_in("Compliance reviewer")
    page.get_by_role("link", name=re.compile("To review")).click()
    page.locator("#result_list th a").first.click()
    page.get_by_label("In order").check()
    page.get_by_label("Reason").fill("Jane called back")
    page.context.clear_cookies(name="sessionid")

    page.get_by_role("button", name=re.compile("Record and next")).click()
    page.get_by_label("Username").fill("compliance")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_label("Reason")).to_have_value("Jane called back")
    expect(page.get_by_label("In order")).not_to_be_checked()
    assert not Review.objects.exists()


def test_finds_a_visitor_by_a_pasted_session_id_that_stays_out_of_the_address(sign_in):
    page = sign_in("Compliance reviewer")
    seen = []
    page.on("request", lambda request: seen.append(request.url))

    page.get_by_label("Find a creation").fill(JANE)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="What left the building")).to_be_visible()
    assert not [url for url in seen if JANE in url]


def test_withdraws_for_somebody_on_the_telephone(sign_in):
    page = sign_in("Compliance reviewer")

    page.get_by_role("navigation", name="Places").get_by_role("link", name="People").click()
    page.get_by_label("Find a person").fill(f" {JANE} ")
    page.keyboard.press("Enter")
    page.get_by_label("Channel").select_option("Telephone")
    page.get_by_label("Case number").fill("case-12")
    page.get_by_role("button", name="Withdraw…").click()
    expect(page.get_by_text("Creations under a consent that stands: 1.")).to_be_visible()
    page.get_by_label("I have read what will happen").check()
    page.get_by_role("button", name="Withdraw consent").click()

    expect(page.get_by_text("Consent is withdrawn; creations: 1.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the receipt of the withdrawal").click()
    assert download.value.suggested_filename.startswith("receipt-")


def test_erases_a_person_only_after_the_word_was_typed(sign_in):
    page = sign_in("Compliance reviewer")
    page.goto("/admin/provisioning/guestcreation/person/")
    page.get_by_label("Find a person").fill(JANE)
    page.keyboard.press("Enter")

    page.get_by_role("button", name="Erase…").click()
    expect(page.get_by_role("heading", name="Export first?")).to_be_visible()
    page.get_by_role("button", name="Erase this person").click()
    assert CrmRecord.objects.filter(email="jane.doe@example.com").exists()
    page.get_by_label("Type the word").fill("erase")
    page.get_by_role("button", name="Erase this person").click()

    expect(page.get_by_text("Erased: 1 creations and 1 CRM records.")).to_be_visible()
    assert not CrmRecord.objects.filter(email="jane.doe@example.com").exists()


def test_unlocks_somebody_who_mistyped_the_password(sign_in):
    page = sign_in()
    visitor = page.context.browser.new_context(base_url=page.url.partition("/admin")[0]).new_page()
    for _ in range(5):
        visitor.goto("/admin/")
        visitor.get_by_label("Username").fill("clerk")
        visitor.get_by_label("Password").fill("wrong")
        visitor.get_by_role("button", name="Log in").click()
    expect(visitor.get_by_text("Signing in under this name is closed")).to_be_visible()
    visitor.context.close()

    page.goto("/admin/auth/user/")
    page.get_by_role("link", name="clerk").click()
    expect(page.get_by_text("Locked", exact=True)).to_be_visible()
    page.get_by_role("link", name="Unlock…").click()
    page.get_by_label("I have read what will happen").check()
    page.get_by_role("button", name="Unlock sign-in").click()

    expect(page.get_by_text("Sign-in unlocked: 1.")).to_be_visible()
    expect(page.get_by_text("Open", exact=True)).to_be_visible()


def test_verifies_the_seal_over_a_creation(sign_in):
    page = sign_in("Compliance reviewer")
    page.goto("/admin/provisioning/guestcreation/")
    page.locator("#result_list th a").first.click()

    page.get_by_role("button", name="Verify the seals").click()

    expect(page.get_by_text("Verified: seal 1")).to_be_visible()


def test_imports_a_file_once_its_bad_rows_are_corrected(sign_in, csv):
    page = sign_in("CRM administrator")
    page.get_by_role("link", name="Import a CSV file").click()

    page.get_by_label("CSV file").set_input_files(csv(BAD))
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("Rejected: 3 errors")).to_be_visible()
    page.get_by_label("CSV file").set_input_files(csv(GOOD))
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name="Import 7 records").click()

    expect(page.get_by_text("Imported: 7 new, 0 changed, 0 unchanged")).to_be_visible()
    assert CrmRecord.objects.filter(email__startswith="new").count() == 7


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (SEMICOLONS, "Read as UTF-8, parted by semicolons."),
        (TABS, "Read as UTF-16, parted by tabs."),
        (WESTERN, "Read as Windows-1252, parted by semicolons."),
    ],
    ids=["semicolons", "tabs", "western"],
)
def test_imports_what_a_spreadsheet_calls_csv(sign_in, csv, content, said):
    page = sign_in("CRM administrator")
    page.goto("/admin/crm/crmrecord/import/")

    page.get_by_label("CSV file").set_input_files(csv(content))
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_text("Row 4: the session id looks like a number")).to_be_visible()
    expect(page.get_by_role("row", name="First name first_name")).to_be_visible()
    expect(page.get_by_role("row", name="tier Gold → Platinum")).to_be_visible()
    page.get_by_role("button", name="Import 3 records").click()

    expect(page.get_by_text("Imported: 2 new, 1 changed, 0 unchanged")).to_be_visible()
    assert CrmRecord.objects.get(email="zoe@example.com").first_name == "Zoë"


def test_says_what_to_do_with_a_workbook(sign_in, csv):
    page = sign_in("CRM administrator")
    page.goto("/admin/crm/crmrecord/import/")

    page.get_by_label("CSV file").set_input_files(csv(WORKBOOK, "records.xlsx"))
    page.get_by_role("button", name="Check the file").click()

    expect(page.get_by_role("alert")).to_contain_text("Save it in the spreadsheet program as “CSV")
    expect(page.get_by_label("CSV file")).to_be_visible()


def test_downloads_what_is_wrong_with_a_file(sign_in, csv):
    page = sign_in("CRM administrator")
    page.goto("/admin/crm/crmrecord/import/")
    page.get_by_label("CSV file").set_input_files(csv(BAD))
    page.get_by_role("button", name="Check the file").click()

    with page.expect_download() as download:
        page.get_by_role("button", name="Download all 3 errors as CSV").click()

    assert download.value.suggested_filename == "import-errors.csv"
    assert "3,email,This is not an e-mail address." in download.value.path().read_text()


def test_adds_a_record_by_its_session_id_and_rows_of_attributes(sign_in):
    page = sign_in("CRM administrator")
    page.goto("/admin/crm/crmrecord/add/")

    page.get_by_label("Session ID:").fill("session-by-hand")
    page.get_by_label("E-mail:").fill("hand@example.com")
    page.get_by_label("Name of attribute 1").fill("segment")
    page.get_by_label("Value of attribute 1").fill("retail")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_label("Value of attribute 1")).to_have_value("retail")
    page.get_by_label("Name of attribute 2").fill("city")
    page.get_by_label("Value of attribute 2").fill("Wien")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state("networkidle")

    record = CrmRecord.objects.get(email="hand@example.com")
    assert record.attributes == {"segment": "retail", "city": "Wien"}


def test_shows_how_far_the_import_of_a_long_file_is(sign_in, csv):
    page = sign_in("CRM administrator")
    page.add_init_script(KEEP_WHAT_IS_SHOWN)
    page.goto("/admin/crm/crmrecord/import/")

    page.get_by_label("CSV file").set_input_files(csv(long_file(rows=20_000)))
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("button", name="Import 20,000 records")).to_be_visible()
    checked = page.evaluate("shown")
    page.get_by_role("button", name="Import 20,000 records").click()
    expect(page.get_by_text("Imported: 20,000 new")).to_be_visible()

    assert len({text for text in checked if re.match(r"Checking the file: [\d,]+ rows", text)}) > 1
    assert "Writing: 20,000 records, all at once" in page.evaluate("shown")


def test_shows_what_a_mapping_would_send_while_it_is_typed(sign_in):
    page = sign_in("CRM administrator")
    page.goto("/admin/crm/attributemapping/add/")

    page.get_by_label("Target").fill("loyalty")
    page.get_by_label("Source kind").select_option("constant")
    page.get_by_label("Source:").fill("platinum")

    expect(page.locator("#preview")).to_contain_text('"loyalty": "platinum"')
    assert not AttributeMapping.objects.filter(target="loyalty").exists()


def test_brings_an_earlier_set_of_mappings_back(sign_in):
    page = sign_in("CRM administrator")
    page.goto("/admin/crm/attributemapping/")
    page.locator("#id_form-0-enabled").uncheck()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="History and restore").click()

    page.get_by_role("button", name="Restore the set before this change").first.click()
    expect(page.get_by_role("heading", name="Difference to the set in force")).to_be_visible()
    page.get_by_label("I have read what will happen").check()
    page.get_by_role("button", name="Restore this set").click()

    expect(page.get_by_text("The recorded mappings are in force again.")).to_be_visible()
    assert not AttributeMapping.objects.filter(enabled=False).exists()
