"""The auditor's morning, with a browser: verify, take a bundle away, check it and a receipt."""

import json
import subprocess
import sys
import zipfile

import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from playwright.sync_api import expect

from tests.browser.admin.day import JANE

pytestmark = pytest.mark.django_db(transaction=True)


def _keys(page):
    """Return what the page of keys shows: the receipts' thumbprint and the log's public key."""
    page.get_by_role("navigation", name="Places").get_by_role("link", name="Audit").click()
    page.get_by_role("link", name="Keys").click()
    shown = page.locator("section", has=page.get_by_role("heading", name="Consent receipts"))
    thumbprint = shown.locator("code").first.inner_text()
    log = page.locator("section", has=page.get_by_role("heading", name="Seals and bundles"))
    return thumbprint, log.locator("code").first.inner_text()


def test_verifies_the_log_and_checks_a_bundle_of_it_on_another_machine(sign_in, tmp_path):
    page = sign_in("Auditor")

    page.get_by_role("link", name="The audit log was never verified").click()
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text("The log is as it was written")).to_be_visible()
    _, key = _keys(page)
    page.goto("/admin/audit/auditevent/")
    page.get_by_role("link", name="Export bundle").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()

    bundle = tmp_path / download.value.suggested_filename
    download.value.save_as(bundle)
    zipfile.ZipFile(bundle).extract("verify_bundle.py", tmp_path)
    command = [sys.executable, "-I", "verify_bundle.py", "--key", key, bundle]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_checks_a_receipt_by_a_thumbprint_that_the_auditor_read_out(sign_in, tmp_path):
    auditor = sign_in("Auditor")
    thumbprint, _ = _keys(auditor)
    served = json.loads(auditor.request.get("/.well-known/guestportal-keys.json").text())
    page = sign_in("Compliance reviewer")
    page.goto("/admin/provisioning/guestcreation/person/")
    page.get_by_label("Find a person").fill(JANE)
    page.keyboard.press("Enter")
    with page.expect_download() as download:
        page.get_by_role("button", name="Receipt of").first.click()
    receipt = json.loads(download.value.path().read_text())["receipt"]

    key = next(
        key for key in (JWK(**each) for each in served["keys"]) if key.thumbprint() == thumbprint
    )
    checked = JWS()
    checked.allowed_algs = ["EdDSA"]
    checked.deserialize(receipt, key)

    assert checked.jose_header["typ"] == "guestportal-receipt+jwt"
    assert json.loads(checked.payload)["events"][0]["event_state"] == "given"
