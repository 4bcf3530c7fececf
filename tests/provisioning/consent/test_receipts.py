"""Consent receipts: what was consented to, signed; anybody verifies one as the docs say."""

import json
import re
import subprocess
import sys
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest
from django.test import Client

from audit import log
from audit.sealing import receipt_keys, signing
from crm.sessions import hash_session
from provisioning.consent.receipts import make_receipt
from tests.provisioning.consent.test_notices import TEXT, published
from tests.support.factories import creation
from tests.support.visitor import SESSION, events, jws_part, known_to_the_crm, latest

DOCS = Path(__file__).parents[3] / "docs" / "receipts.md"
GUIDE, EARLIER_GUIDE = re.findall(r"```python\n(.+?)```", DOCS.read_text(), re.DOTALL)


@pytest.fixture
def receipt(visitor):
    """The receipt of a consent under a published notice: a compact JWS."""
    published()
    known_to_the_crm()
    said = {"consentGiven": True, "noticeVersion": "2026-11", "language": "en"}
    guest_id = visitor.init(**said).json()["guestId"]
    return visitor.receipt(guest_id).json()["receipt"]


def content(reply):
    return jws_part(reply.json()["receipt"], 1)


def served_keys():
    reply = Client().get("/.well-known/guestportal-keys.json")
    assert reply["Content-Type"] == "application/jwk-set+json"
    return reply.json()


def run(guide, *arguments):
    """Run a documented program outside the service."""
    done = [sys.executable, "-I", "-c", guide, *map(str, arguments)]
    return subprocess.run(done, capture_output=True, text=True)


def verify(receipt, folder, *, pinned="", keys=None):
    """Verify `receipt` as the guide does, with the keys that are served and one thumbprint."""
    (folder / "receipt.json").write_text(json.dumps({"receipt": receipt}))
    (folder / "keys.json").write_text(json.dumps(keys or served_keys()))
    pinned = pinned or receipt_keys.own_thumbprint()
    return run(GUIDE, folder / "receipt.json", folder / "keys.json", pinned)


def test_says_who_consented_to_what_under_which_notice(receipt):
    said = jws_part(receipt, 1)

    notice = said["pii_processing"]["privacy_notice"]
    assert said["record_id"] == str(latest().id)
    assert said["pii_principal_id"] not in ("", hash_session(session_id=SESSION))
    assert (notice["version"], notice["text"], notice["known"]) == ("2026-11", TEXT, True)
    assert said["pii_processing"]["purposes"][0]["purpose"] == "customer support by chat"
    assert said["party_identification"][0]["party_contact"].startswith("Example Ltd")
    assert "email" in said["pii_processing"]["pii_information"]
    assert said["events"][0]["event_state"] == "given"
    assert "jane.doe@example.com" not in json.dumps(said)


def test_is_verified_offline_by_the_documented_program(receipt, tmp_path):
    done = verify(receipt, tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == jws_part(receipt, 1)


def test_names_type_algorithm_and_the_thumbprint_of_its_key(receipt):
    (key,) = served_keys()["keys"]

    kid = receipt_keys.thumbprint(x=key["x"])
    assert jws_part(receipt, 0) == {"alg": "EdDSA", "kid": kid, "typ": "guestportal-receipt+jwt"}
    assert (key["kid"], key["kty"], key["crv"]) == (kid, "OKP", "Ed25519")


def test_names_a_key_as_rfc_8037_does():
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"  # its appendix A.3

    assert receipt_keys.thumbprint(x=x) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_changed_receipt_is_found_out(receipt, tmp_path, number):
    parts = receipt.split(".")
    parts[number] = (
        parts[number][:-6]
        + ("AAAA" if parts[number][-6:-2] != "AAAA" else "BBBB")
        + parts[number][-2:]
    )

    done = verify(".".join(parts), tmp_path)

    assert done.returncode != 0
    assert done.stdout == ""


def test_a_key_that_was_not_pinned_verifies_nothing(receipt, tmp_path, settings):
    settings.AUDIT_SIGNING_KEY = "77" * 32  # whoever holds the address serves what they like

    forged = verify(
        receipt_keys.sign(content={"forged": True}), tmp_path, pinned=jws_part(receipt, 0)["kid"]
    )

    assert forged.returncode != 0
    assert forged.stdout == ""


def test_a_seal_and_a_receipt_never_stand_for_one_another(receipt):
    x = served_keys()["keys"][0]["x"]
    key = urlsafe_b64decode(x + "=").hex()

    assert key != signing.public_key_hex()
    assert key not in signing.public_keys().values()


def test_verifies_after_another_key_has_taken_over(receipt, tmp_path, settings):
    earlier = receipt_keys.own_thumbprint()
    settings.AUDIT_VERIFY_KEYS = [signing.public_key_hex()]
    settings.AUDIT_SIGNING_KEY = "77" * 32

    done = verify(receipt, tmp_path, pinned=earlier)

    assert done.returncode == 0, done.stderr
    assert len(served_keys()["keys"]) == 2


def test_serves_no_earlier_key_that_the_log_cannot_vouch_for(receipt, settings):
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    (announced,) = events("receipt.key_announced")
    with log.transaction.atomic():
        log.record(kind="receipt.key_announced", data={**announced["data"], "x": x})

    assert x not in {key["x"] for key in served_keys()["keys"]}


def test_a_key_enters_the_log_once(visitor):
    guest_id = visitor.init(consentGiven=True).json()["guestId"]

    visitor.receipt(guest_id)
    visitor.receipt(guest_id)

    assert len(events("receipt.key_announced")) == 1


def test_lets_a_page_of_any_origin_read_the_keys(db):
    reply = Client().get("/.well-known/guestportal-keys.json", headers={"Origin": "https://a.test"})

    assert reply["Access-Control-Allow-Origin"] == "*"


def earlier_receipt(row):
    """A receipt as releases before this one signed it."""
    said = {key: value for key, value in make_receipt(creation=row).content.items() if key != "iat"}
    made = signing.sign(message=log.canonical(said).encode(), purpose="receipt")
    signature = {"algorithm": "Ed25519", "key_id": made.key_id, "value": made.signature}
    return {"receipt": said, "signature": signature}


def verify_earlier(document, folder):
    file = folder / "receipt.json"
    file.write_text(json.dumps(document, indent=4))
    return run(EARLIER_GUIDE, file, signing.public_key_hex())


def test_an_earlier_receipt_still_verifies_by_the_documented_program(tmp_path, db):
    done = verify_earlier(earlier_receipt(creation()), tmp_path)

    assert (done.returncode, done.stdout) == (0, "the receipt is genuine\n")


def test_a_changed_earlier_receipt_is_found_out(tmp_path, db):
    document = earlier_receipt(creation())
    document["receipt"]["events"][0]["event_state"] = "refused"

    assert "InvalidSignature" in verify_earlier(document, tmp_path).stderr


def test_tells_the_history_of_a_withdrawn_consent(visitor):
    guest_id = visitor.init(consentGiven=True, consentType="implicit").json()["guestId"]
    visitor.withdraw()

    given, withdrawn = content(visitor.receipt(guest_id))["events"]

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

    (event,) = content(visitor.receipt(guest_id))["events"]

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
