"""Consent receipts: what was consented to, signed, for anybody to verify with the docs' snippet."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from audit.sealing import signing
from crm.sessions import hash_session
from provisioning.consent.receipts import make_receipt
from tests.provisioning.consent.test_notices import TEXT, published
from tests.support.factories import creation
from tests.support.visitor import SESSION, known_to_the_crm, latest

DOCS = Path(__file__).parents[3] / "docs" / "compliance.md"


@pytest.fixture
def receipt(visitor):
    """The receipt of a consent under a published notice."""
    published()
    known_to_the_crm()
    said = {"consentGiven": True, "noticeVersion": "2026-11", "language": "en"}
    guest_id = visitor.init(**said).json()["guestId"]
    return visitor.receipt(guest_id).json()


def verify(document, folder):
    """Run the documented snippet as a program of its own, outside the service."""
    (snippet,) = re.findall(r"```python\n(.+?)```", DOCS.read_text(), re.DOTALL)
    file = folder / "receipt.json"
    file.write_text(json.dumps(document, indent=4))
    arguments = [sys.executable, "-I", "-c", snippet, str(file), signing.public_key_hex()]
    return subprocess.run(arguments, capture_output=True, text=True)


def test_says_who_consented_to_what_under_which_notice(receipt):
    content = receipt["receipt"]

    notice = content["pii_processing"]["privacy_notice"]
    assert content["record_id"] == str(latest().id)
    assert content["pii_principal_id"] not in ("", hash_session(session_id=SESSION))
    assert (notice["version"], notice["text"], notice["known"]) == ("2026-11", TEXT, True)
    assert content["pii_processing"]["purposes"][0]["purpose"] == "customer support by chat"
    assert content["party_identification"][0]["party_contact"].startswith("Example Ltd")
    assert "email" in content["pii_processing"]["pii_information"]
    assert content["events"][0]["event_state"] == "given"
    assert "jane.doe@example.com" not in json.dumps(receipt)


def test_is_verified_offline_by_the_documented_snippet(receipt, tmp_path):
    done = verify(receipt, tmp_path)

    assert (done.returncode, done.stdout) == (0, "the receipt is genuine\n")


@pytest.mark.parametrize("change", ["state", "notice", "another purpose"])
def test_a_changed_receipt_is_found_out(receipt, tmp_path, change):
    content = receipt["receipt"]
    if change == "state":
        content["events"][0]["event_state"] = "refused"
    elif change == "notice":
        content["pii_processing"]["privacy_notice"]["text"] += " "
    else:
        signed_as = {"message": json.dumps(content).encode(), "purpose": "bundle"}
        receipt["signature"]["value"] = signing.sign(**signed_as).signature

    done = verify(receipt, tmp_path)

    assert done.returncode != 0
    assert "InvalidSignature" in done.stderr


def test_tells_the_history_of_a_withdrawn_consent(visitor):
    guest_id = visitor.init(consentGiven=True, consentType="implicit").json()["guestId"]
    visitor.withdraw()

    given, withdrawn = visitor.receipt(guest_id).json()["receipt"]["events"]

    assert (given["event_type"], given["event_state"]) == ("implicit", "given")
    assert withdrawn["event_state"] == "withdrawn"
    assert withdrawn["event_time"] > given["event_time"]


@pytest.mark.parametrize(
    ("mode", "said", "state", "basis"),
    [
        ("compat", None, "unknown", "assumed"),
        ("minimise", None, "refused", "omitted"),
        ("compat", False, "refused", "stated"),
    ],
)
def test_never_calls_a_consent_given_that_nobody_stated(
    visitor, settings, mode, said, state, basis
):
    settings.CONSENT_MODE = mode
    guest_id = visitor.init(consentGiven=said).json()["guestId"]

    (event,) = visitor.receipt(guest_id).json()["receipt"]["events"]

    assert (event["event_state"], event["basis"]) == (state, basis)


def test_tells_nobody_about_a_guest_of_another_session(visitor):
    guest_id = visitor.init(consentGiven=True).json()["guestId"]

    reply = visitor.receipt(guest_id, "another session")

    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


def processing(row):
    return make_receipt(creation=row).content["pii_processing"]


@pytest.mark.parametrize(
    ("fault", "status", "sent"),
    [
        ("oauth status=400", "failed", "no"),
        ("guests status=400", "failed", "yes"),
        ("guests status=403", "failed", "yes"),
        ("guests status=500", "unknown", "possibly"),
    ],
)
def test_names_what_left_and_not_what_was_prepared(visitor, sandbox, fault, status, sent):
    endpoint, _, answer = fault.partition(" status=")
    sandbox.faults([{"endpoint": endpoint, "kind": "status", "status": int(answer)}])

    visitor.init(consentGiven=True)

    said, row = processing(latest()), latest()
    assert said["outcome"] == {"status": status, "sent": sent}
    assert (row.status, bool(said["pii_information"])) == (status, sent != "no")
    assert bool(said["recipient_third_parties"]) == (sent != "no")


def test_names_nothing_while_the_creation_waits_for_the_worker(db):
    said = processing(creation(status="queued", guest_id=""))

    assert (said["pii_information"], said["outcome"]["sent"]) == ([], "no")


def test_names_nothing_of_a_creation_that_failed_before_this_release_without_an_answer(db):
    said = processing(creation(status="failed", guest_id="", platform_status=None))

    assert (said["pii_information"], said["outcome"]["sent"]) == ([], "no")


def test_says_how_where_and_for_how_long(receipt, settings, db):
    settings.RECEIPT_COLLECTION_METHOD = "our chat page"
    settings.RECEIPT_STORAGE_LOCATIONS = ["Frankfurt (DE)", "Dublin (IE)"]
    settings.RETENTION_DAYS = 90

    said = processing(latest())

    assert said["pii_controllers"][0].startswith("Example Ltd")
    assert said["collection_method"] == "our chat page"
    assert said["storage_locations"] == ["Frankfurt (DE)", "Dublin (IE)"]
    assert said["retention_period"] == "P90D"
